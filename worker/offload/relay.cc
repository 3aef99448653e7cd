#include "worker/offload/relay.h"

#include <algorithm>
#include <vector>

#include "common/status_macros.h"
#include "glog/logging.h"

namespace hybridserve {

absl::StatusOr<std::unique_ptr<Relay>> Relay::Create(Device& device,
                                                     int64_t bytes,
                                                     Stream& stream) {
  std::unique_ptr<Buffer> buffer;
  if (bytes > 0) {
    ASSIGN_OR_RETURN(buffer, device.Allocate(MemorySpace::kHost, bytes));
  }
  return std::unique_ptr<Relay>(new Relay(std::move(buffer), stream));
}

absl::Status Relay::Copy(absl::Span<const CopyRun> runs) {
  if (buffer_ == nullptr) return stream_.Copy(runs);
  const BufferView all = {buffer_.get(), 0, buffer_->size()};
  std::vector<CopyRun> to_relay;
  std::vector<CopyRun> from_relay;
  int64_t filled = 0;
  const auto pass_on = [&]() -> absl::Status {
    RETURN_IF_ERROR(stream_.Copy(to_relay));
    RETURN_IF_ERROR(stream_.Copy(from_relay));
    to_relay.clear();
    from_relay.clear();
    filled = 0;
    return absl::OkStatus();
  };
  for (const CopyRun& run : runs) {
    CHECK_EQ(run.dst.size, run.src.size);
    for (int64_t done = 0; done < run.src.size;) {
      const int64_t part = std::min(run.src.size - done, all.size - filled);
      const BufferView place = all.Slice(filled, part);
      to_relay.push_back({.dst = place, .src = run.src.Slice(done, part)});
      from_relay.push_back({.dst = run.dst.Slice(done, part), .src = place});
      done += part;
      filled += part;
      if (filled == all.size) RETURN_IF_ERROR(pass_on());
    }
  }
  return filled > 0 ? pass_on() : absl::OkStatus();
}

}  // namespace hybridserve
