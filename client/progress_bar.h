#ifndef HYBRIDSERVE_CLIENT_PROGRESS_BAR_H_
#define HYBRIDSERVE_CLIENT_PROGRESS_BAR_H_

#include <cstdint>
#include <ostream>
#include <string>

#include "absl/time/time.h"

namespace hybridserve {

// One line of progress: a bar, a count, a rate and the time left. On a
// terminal it is redrawn in place, elsewhere it prints a line now and then.
// Thread-compatible.
class ProgressBar {
 public:
  // `total` units of work, `done_before` of them in earlier runs (which say
  // nothing about the rate). `out` outlives the bar.
  ProgressBar(std::ostream& out, bool is_terminal, int64_t total,
              int64_t done_before, absl::Time start);

  // Shows `done` units at `now`, with `note` at the end of the line; drawn at
  // most 10 times a second on a terminal, else every 10 seconds.
  void Show(int64_t done, absl::string_view note, absl::Time now);
  // Shows the end and moves to a new line.
  void Finish(int64_t done, absl::string_view note, absl::Time now);

 private:
  std::string Line(int64_t done, absl::string_view note, absl::Time now) const;

  std::ostream& out_;
  const bool is_terminal_;
  const int64_t total_;
  const int64_t done_before_;
  const absl::Time start_;
  absl::Time drawn_at_ = absl::InfinitePast();
};

// True if file descriptor 2 is a terminal.
bool StderrIsTerminal();

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_PROGRESS_BAR_H_
