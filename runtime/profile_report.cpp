#include "gcompile/runtime/profile_report.h"

#include <array>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>

#include "gcompile/base/error.h"
#include "gcompile/runtime/file_io.h"

namespace gcompile::runtime {
namespace {

// The profiles of this process so far, by file: one trace shows all programs.
class Traces {
 public:
  void add(const std::string& file, const Profile& profile) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::vector<Profile>& all = profiles_[file];
    all.push_back(profile);
    const std::string text = chrome_trace(all);
    try {
      write_file_atomically(file, std::array<std::string_view, 1>{text}, {.durable = false});
    } catch (const DataError& e) {
      if (!warned_) std::cerr << "gcompile: GCOMPILE_PROFILE: " << e.what() << "; nothing is written\n";
      warned_ = true;
    }
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::vector<Profile>> profiles_;
  bool warned_ = false;
};

}  // namespace

ProfileReport profile_report(const std::string& file) {
  // Executables may go after what is static here, so each holds it.
  static const std::shared_ptr<Traces> traces = std::make_shared<Traces>();
  return [file, kept = traces](const Profile& profile) {
    if (profile.calls == 0) return;
    if (file == "-")
      std::cerr << print(profile);
    else
      kept->add(file, profile);
  };
}

ProfileReport profile_report_from_environment() {
  const char* file = std::getenv("GCOMPILE_PROFILE");
  return file && *file ? profile_report(file) : nullptr;
}

}  // namespace gcompile::runtime
