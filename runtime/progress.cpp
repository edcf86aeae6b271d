#include "gcompile/runtime/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <ostream>
#include <utility>

#include "gcompile/base/error.h"

namespace gcompile {
namespace {

constexpr double kRedrawSeconds = 0.05;
constexpr std::int64_t kMostLines = 20;
constexpr int kLongestBar = 40, kShortestBar = 6;

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Four significant digits, whatever the locale.
std::string number(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::general, 4).ptr;
  return {text, end};
}

// "0:07", "12:30", "3:04:05".
std::string duration(double seconds) {
  const auto s = static_cast<std::int64_t>(std::clamp(std::round(seconds), 0.0, 3.6e8));
  const auto two = [](std::int64_t n) { return (n < 10 ? ":0" : ":") + std::to_string(n); };
  return s < 3600 ? std::to_string(s / 60) + two(s % 60) : std::to_string(s / 3600) + two(s / 60 % 60) + two(s % 60);
}

int terminal_width(int fd) {
  winsize size{};
  return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

ProgressBar::ProgressBar(std::int64_t total_epochs, int fd) : total_(total_epochs), fd_(fd) {
  if (total_ <= 0) throw CallError("progress bar: the number of epochs must be > 0, got " + std::to_string(total_));
  options_ = {.terminal = ::isatty(fd) == 1, .width = 80, .clock = steady_seconds};
  begun_ = drawn_ = options_.clock();
  every_ = std::max<std::int64_t>(1, (total_ + kMostLines - 3) / (kMostLines - 2));
}

ProgressBar::ProgressBar(std::int64_t total_epochs, std::ostream& out, const ProgressOptions& options)
    : ProgressBar(total_epochs, -1) {
  stream_ = &out;
  options_ = options;
  if (!options_.clock) options_.clock = steady_seconds;
  begun_ = drawn_ = options_.clock();
}

void ProgressBar::update(const Progress& progress) {
  if (finished_) return;
  last_ = progress;
  if (progress.metric) metric_name_ = progress.metric_name;
  const bool first = written_epoch_ == 0, last = progress.epoch >= total_;
  if (options_.terminal) {
    const double now = options_.clock();
    if (!first && !last && now - drawn_ < kRedrawSeconds) return;
    drawn_ = now;
    draw(now - begun_);
  } else {
    if (!first && !last && progress.epoch % every_ != 0) return;
    write("epoch " + std::to_string(progress.epoch) + "/" + std::to_string(total_) +
          figures(options_.clock() - begun_) + "\n");
  }
  written_epoch_ = progress.epoch;
  if (last) finish();
}

void ProgressBar::finish() {
  if (std::exchange(finished_, true) || last_.epoch == 0) return;
  const double elapsed = options_.clock() - begun_;
  if (options_.terminal) {
    if (written_epoch_ != last_.epoch) draw(elapsed);
    write("\n");
  } else if (written_epoch_ != last_.epoch) {
    write("epoch " + std::to_string(last_.epoch) + "/" + std::to_string(total_) + figures(elapsed) + "\n");
  }
}

std::string ProgressBar::figures(double elapsed) const {
  std::string text = "  loss " + number(last_.loss);
  if (last_.metric) text += "  " + metric_name_ + " " + number(*last_.metric);
  text += "  " + duration(elapsed);
  if (last_.epoch > 0 && last_.epoch < total_) {
    const double done = static_cast<double>(last_.epoch), left = static_cast<double>(total_ - last_.epoch);
    text += ", " + duration(elapsed / done * left) + " left";
  }
  return text;
}

void ProgressBar::draw(double elapsed) {
  const std::string total = std::to_string(total_), epoch = std::to_string(last_.epoch);
  std::string line(total.size() > epoch.size() ? total.size() - epoch.size() : 0, ' ');
  line += epoch + "/" + total;
  const std::string text = figures(elapsed);
  const int width = fd_ >= 0 ? terminal_width(fd_) : options_.width;
  // One column stays free: a full line would make some terminals scroll.
  const int room = width - 1 - static_cast<int>(line.size() + text.size()) - 3;
  if (room >= kShortestBar) {
    const int cells = std::min(room, kLongestBar);
    const double share = static_cast<double>(std::min(last_.epoch, total_)) / static_cast<double>(total_);
    const auto full = static_cast<std::size_t>(share * cells);
    std::string bar(full, '=');
    if (full < static_cast<std::size_t>(cells)) bar += '>';
    bar.resize(static_cast<std::size_t>(cells), ' ');
    line += " [" + bar + "]";
  }
  line += text;
  line.resize(std::min(line.size(), static_cast<std::size_t>(std::max(width - 1, 1))));
  write("\r" + line + "\x1b[K");
}

void ProgressBar::write(std::string_view text) {
  if (stream_) {
    *stream_ << text << std::flush;
    return;
  }
  while (!text.empty()) {
    const ssize_t n = ::write(fd_, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

}  // namespace gcompile
