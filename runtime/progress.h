// How a training run is getting on: in a terminal one line that is redrawn, elsewhere a few plain lines.
//
//    37/100 [=========>              ]  loss 0.4812  validation accuracy 0.773  0:03, 0:05 left
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

namespace gcompile {

// What is known after an epoch.
struct Progress {
  std::int64_t epoch = 0;  // epochs done, 1 to the total
  double loss = 0;
  std::optional<double> metric = std::nullopt;
  std::string_view metric_name = "accuracy";
};

struct ProgressOptions {
  bool terminal = false;        // whether the stream is a terminal: "\r" and erasing are understood
  int width = 80;               // of the terminal, in characters
  double (*clock)() = nullptr;  // seconds since any moment; null: the steady clock
};

class ProgressBar {
 public:
  // On a file descriptor: a bar of its terminal's width if it is a terminal. Errors of writing are ignored: no training
  // run ends because nobody reads about it. Both throw CallError unless total_epochs > 0.
  explicit ProgressBar(std::int64_t total_epochs, int fd = 2);
  // On a stream, which must outlive the bar.
  ProgressBar(std::int64_t total_epochs, std::ostream& out, const ProgressOptions& options = {});
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  ~ProgressBar() { finish(); }

  // In a terminal redraws the line at most 20 times a second, and at the last epoch; elsewhere writes at most 20 lines,
  // the first and the last epoch among them. Costs a look at the clock otherwise.
  void update(const Progress& progress);
  // Ends the line with what was reported last; for a run that stops early. Later calls do nothing.
  void finish();

 private:
  std::string figures(double elapsed) const;
  void draw(double elapsed);
  void write(std::string_view text);

  std::int64_t total_;
  std::int64_t every_ = 1;  // plain lines: epochs between two
  int fd_ = -1;
  std::ostream* stream_ = nullptr;
  ProgressOptions options_;
  double begun_ = 0, drawn_ = 0;  // in the clock's seconds
  Progress last_;
  std::string metric_name_;
  std::int64_t written_epoch_ = 0;
  bool finished_ = false;
};

}  // namespace gcompile
