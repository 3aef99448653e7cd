#include "client/load_bar.h"

#include <cstdint>

#include "absl/strings/str_cat.h"

namespace hybridserve {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(1);

int64_t InMib(int64_t bytes) { return bytes >> 20; }

}  // namespace

void LoadBar::Show(const LoadProgress& progress, absl::Time now) {
  if (progress.total_bytes > 0) done_mib_ = InMib(progress.done_bytes);
  if (now - start_ < kPatience) return;
  if (!bar_.has_value()) {
    if (progress.total_bytes == 0) return;
    bar_.emplace(out_, is_terminal_, InMib(progress.total_bytes),
                 /*done_before=*/0, start_);
  }
  bar_->Show(done_mib_, absl::StrCat("MiB of weights, ", progress.phase), now);
}

void LoadBar::Finish(absl::Time now) {
  if (bar_.has_value()) bar_->Finish(done_mib_, "MiB of weights", now);
}

}  // namespace hybridserve
