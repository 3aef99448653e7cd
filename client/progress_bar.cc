#include "client/progress_bar.h"

#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace hybridserve {
namespace {

constexpr int kWidth = 30;

std::string Clock(absl::Duration left) {
  const int64_t seconds = absl::ToInt64Seconds(left);
  if (seconds >= 3600) {
    return absl::StrFormat("%d:%02d:%02d", seconds / 3600, seconds / 60 % 60,
                           seconds % 60);
  }
  return absl::StrFormat("%d:%02d", seconds / 60, seconds % 60);
}

}  // namespace

ProgressBar::ProgressBar(std::ostream& out, bool is_terminal, int64_t total,
                         int64_t done_before, absl::Time start)
    : out_(out),
      is_terminal_(is_terminal),
      total_(total),
      done_before_(done_before),
      start_(start) {}

std::string ProgressBar::Line(int64_t done, absl::string_view note,
                              absl::Time now) const {
  const double share =
      total_ == 0 ? 1 : static_cast<double>(done) / static_cast<double>(total_);
  const int filled = static_cast<int>(share * kWidth);
  const double seconds = absl::ToDoubleSeconds(now - start_);
  const int64_t done_now = done - done_before_;
  std::string line =
      absl::StrFormat("[%s%s] %3d%% %d/%d", std::string(filled, '#'),
                      std::string(kWidth - filled, '.'),
                      static_cast<int>(share * 100), done, total_);
  if (seconds > 0 && done_now > 0) {
    const double rate = static_cast<double>(done_now) / seconds;
    absl::StrAppendFormat(&line, " %.1f/s", rate);
    if (done < total_) {
      absl::StrAppend(
          &line, " ",
          Clock(absl::Seconds(static_cast<double>(total_ - done) / rate)),
          " left");
    }
  }
  if (!note.empty()) absl::StrAppend(&line, " ", note);
  return line;
}

void ProgressBar::Show(int64_t done, absl::string_view note, absl::Time now) {
  const absl::Duration interval =
      is_terminal_ ? absl::Milliseconds(100) : absl::Seconds(10);
  if (now - drawn_at_ < interval) return;
  if (!is_terminal_ && drawn_at_ == absl::InfinitePast()) {
    drawn_at_ = now;  // The first line after an interval, not at once.
    return;
  }
  drawn_at_ = now;
  if (is_terminal_) {
    out_ << "\r" << Line(done, note, now) << "\033[K" << std::flush;
  } else {
    out_ << Line(done, note, now) << "\n" << std::flush;
  }
}

void ProgressBar::Finish(int64_t done, absl::string_view note, absl::Time now) {
  out_ << (is_terminal_ ? "\r" : "") << Line(done, note, now)
       << (is_terminal_ ? "\033[K" : "") << "\n"
       << std::flush;
}

bool StderrIsTerminal() { return isatty(STDERR_FILENO) == 1; }

}  // namespace hybridserve
