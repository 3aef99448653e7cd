#ifndef HYBRIDSERVE_CLIENT_LOAD_BAR_H_
#define HYBRIDSERVE_CLIENT_LOAD_BAR_H_

#include <optional>
#include <ostream>

#include "absl/time/time.h"
#include "client/progress_bar.h"
#include "worker/worker.h"

namespace hybridserve {

// Progress of a worker that loads in this process, in MiB of weights. Nothing
// is shown of what takes less than a second. Thread-compatible.
class LoadBar {
 public:
  // `out` outlives it.
  LoadBar(std::ostream& out, bool is_terminal, absl::Time start)
      : out_(out), is_terminal_(is_terminal), start_(start) {}

  void Show(const LoadProgress& progress, absl::Time now);
  // Moves to a new line if anything was shown. Call once, at the end.
  void Finish(absl::Time now);

 private:
  std::ostream& out_;
  const bool is_terminal_;
  const absl::Time start_;
  int64_t done_mib_ = 0;
  std::optional<ProgressBar> bar_;  // From the first line on.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_LOAD_BAR_H_
