#include "gcompile/runtime/profile.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>

namespace gcompile::runtime {
namespace {

template <class... T>
std::string formatted(const char* format, T... values) {
  char text[64];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

// "812 ns", "7.64 us", "12.3 ms", "1.02 s": three digits.
std::string duration(double seconds) {
  struct Unit {
    double seconds;
    const char* name;
  };
  constexpr std::array<Unit, 4> kUnits{{{1, "s"}, {1e-3, "ms"}, {1e-6, "us"}, {1e-9, "ns"}}};
  for (const Unit& u : kUnits)
    if (seconds >= u.seconds * 0.9995 || u.seconds == 1e-9) {
      const double x = seconds / u.seconds;
      return formatted("%.*f %s", u.seconds == 1e-9 || x >= 99.95 ? 0 : x >= 9.995 ? 1 : 2, x, u.name);
    }
  return "0 ns";
}

std::string lines_of(const std::vector<Location>& lines) {
  std::string text;
  for (const Location& l : lines) text += (text.empty() ? "" : ", ") + l.str();
  return text;
}

// A string of JSON, quoted. File names may hold any bytes.
std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string microseconds(double seconds) { return formatted("%.3f", seconds * 1e6); }

}  // namespace

std::string print(const Profile& profile) {
  std::string out = "profile of " + profile.program + ": " + std::to_string(profile.calls) + " calls, " +
                    duration(profile.seconds) + " in kernels\n";
  std::vector<std::size_t> order(profile.rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return profile.rows[a].seconds > profile.rows[b].seconds; });
  std::size_t width = 6;
  for (const Profile::Row& r : profile.rows) width = std::max(width, r.kernel.size());
  const auto padded = [&](const std::string& name) { return name + std::string(width - name.size(), ' '); };
  out += "  share      total     calls     median     GF/s     GB/s  ratio  " + padded("kernel") + "  lines\n";
  for (const std::size_t i : order) {
    const Profile::Row& r = profile.rows[i];
    const double share = profile.seconds > 0 ? 100 * r.seconds / profile.seconds : 0;
    out += formatted("%5.1f %% %10s %9lld", share, duration(r.seconds).c_str(), static_cast<long long>(r.calls)) +
           formatted(" %10s %8.1f %8.1f", duration(r.median).c_str(), r.gflops(), r.gigabytes()) +
           (r.estimated > 0 ? formatted(" %6.2f  ", r.estimate_ratio()) : "      -  ") +
           (r.lines.empty() ? r.kernel : padded(r.kernel) + "  " + lines_of(r.lines)) + "\n";
  }
  return out;
}

// https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU: complete events ("X"), a process for
// each program.
std::string chrome_trace(std::span<const Profile> profiles) {
  std::string out = "{\"displayTimeUnit\": \"ns\", \"traceEvents\": [";
  const char* separator = "\n";
  for (std::size_t p = 0; p < profiles.size(); ++p) {
    const Profile& profile = profiles[p];
    const std::string process = "\"pid\": " + std::to_string(p + 1) + ", \"tid\": 1";
    out += separator + ("{\"ph\": \"M\", \"name\": \"process_name\", " + process +
                        ", \"args\": {\"name\": " + quoted(profile.program) + "}}");
    separator = ",\n";
    std::vector<std::string> names, arguments;
    for (const Profile::Row& r : profile.rows) {
      const auto calls = static_cast<double>(std::max<std::int64_t>(r.calls, 1));
      names.push_back(quoted(r.kernel));
      arguments.push_back("{\"lines\": " + quoted(lines_of(r.lines)) + formatted(", \"flops\": %.0f", r.flops / calls) +
                          formatted(", \"bytes\": %.0f", r.bytes / calls) +
                          formatted(", \"estimate_us\": %.3f}", r.estimated / calls * 1e6));
    }
    for (const Profile::Event& e : profile.events) {
      const auto row = static_cast<std::size_t>(e.row);
      out += ",\n{\"ph\": \"X\", \"name\": " + names[row] + ", " + process + ", \"ts\": " + microseconds(e.begin) +
             ", \"dur\": " + microseconds(e.seconds) + ", \"args\": " + arguments[row] + "}";
    }
  }
  return out + "\n]}\n";
}

}  // namespace gcompile::runtime
