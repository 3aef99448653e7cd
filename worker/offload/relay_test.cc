#include "worker/offload/relay.h"

#include <cstring>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/device/cpu_device.h"

namespace hybridserve {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Passes on to a cpu stream and notes how many bytes of each copy crossed the
// link: "24 within" or "24 across".
class NotingStream final : public Stream {
 public:
  explicit NotingStream(std::unique_ptr<Stream> stream)
      : stream_(std::move(stream)) {}

  absl::Status Copy(absl::Span<const CopyRun> runs) override {
    int64_t bytes = 0;
    bool across = false;
    for (const CopyRun& run : runs) {
      bytes += run.src.size;
      across = run.src.buffer->space() != run.dst.buffer->space();
    }
    copies_.push_back(std::to_string(bytes) + (across ? " across" : " within"));
    return stream_->Copy(runs);
  }
  absl::Status Record(Event& event) override { return stream_->Record(event); }
  absl::Status Wait(Event& event) override { return stream_->Wait(event); }
  absl::Status Synchronize() override { return stream_->Synchronize(); }
  void Begin(const WorkTag& tag) override { stream_->Begin(tag); }
  absl::Duration busy() const override { return stream_->busy(); }
  PerWorkKind<WorkTotals> work() const override { return stream_->work(); }
  StreamKind kind() const override { return stream_->kind(); }

  const std::vector<std::string>& copies() const { return copies_; }

 private:
  const std::unique_ptr<Stream> stream_;
  std::vector<std::string> copies_;
};

class RelayTest : public testing::Test {
 protected:
  static constexpr int64_t kBytes = 100;

  RelayTest()
      : device_(CreateCpuDevice({.threads = 1, .device_memory_bytes = 1 << 20})
                    .value()),
        stream_(device_->CreateStream(StreamKind::kCopyIn)),
        host_(device_->Allocate(MemorySpace::kHost, kBytes).value()),
        back_(device_->Allocate(MemorySpace::kHost, kBytes).value()),
        away_(device_->Allocate(MemorySpace::kDevice, kBytes).value()) {
    std::iota(host_->host_bytes().begin(), host_->host_bytes().end(), '\1');
  }

  // Moves runs of these sizes to the far end of the device's buffer and, run by
  // run, back to where they came from; what arrived.
  std::string ThereAndBack(Relay& relay, const std::vector<int64_t>& sizes) {
    std::vector<CopyRun> there, back;
    int64_t at = 0;
    for (const int64_t size : sizes) {
      const BufferView far = {away_.get(), kBytes - at - size, size};
      there.push_back({.dst = far, .src = {host_.get(), at, size}});
      back.push_back({.dst = {back_.get(), at, size}, .src = far});
      at += size;
    }
    EXPECT_THAT(relay.Copy(there), IsOk());
    EXPECT_THAT(relay.Copy(back), IsOk());
    EXPECT_THAT(stream_.Synchronize(), IsOk());
    return {back_->host_bytes().data(), static_cast<size_t>(at)};
  }
  std::string Sent(int64_t bytes) const {
    return {host_->host_bytes().data(), static_cast<size_t>(bytes)};
  }

  const std::unique_ptr<Device> device_;
  NotingStream stream_;
  const std::unique_ptr<Buffer> host_;
  const std::unique_ptr<Buffer> back_;
  const std::unique_ptr<Buffer> away_;
};

TEST_F(RelayTest, WithoutABufferCopiesGoStraight) {
  const auto relay = Relay::Create(*device_, 0, stream_).value();
  EXPECT_EQ(ThereAndBack(*relay, {10, 20}), Sent(30));
  EXPECT_THAT(stream_.copies(), ElementsAre("30 across", "30 across"));
}

TEST_F(RelayTest, EachDirectionHasAHalfWithinTheHost) {
  const auto relay = Relay::Create(*device_, 64, stream_).value();
  EXPECT_EQ(ThereAndBack(*relay, {10, 20}), Sent(30));
  EXPECT_THAT(stream_.copies(),
              ElementsAre("30 within", "30 across", "30 across", "30 within"));
}

TEST_F(RelayTest, WhatTheBufferDoesNotHoldGoesInParts) {
  const auto relay = Relay::Create(*device_, 16, stream_).value();
  EXPECT_EQ(ThereAndBack(*relay, {5, 40, 3}), Sent(48));
  EXPECT_THAT(stream_.copies(),
              ElementsAre("16 within", "16 across", "16 within", "16 across",
                          "16 within", "16 across", "16 across", "16 within",
                          "16 across", "16 within", "16 across", "16 within"));
}

// Whatever the sizes of buffer and runs, every byte arrives in its place.
TEST_F(RelayTest, EveryByteArrives) {
  for (const int64_t bytes : {1, 2, 7, 33, 99, 100, 1000}) {
    SCOPED_TRACE(bytes);
    const auto relay = Relay::Create(*device_, bytes, stream_).value();
    for (const std::vector<int64_t>& sizes :
         {std::vector<int64_t>{100}, {1, 99}, {33, 34, 33}, {0, 50, 0, 7}}) {
      std::memset(back_->host_bytes().data(), 0, kBytes);
      const int64_t sum =
          std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
      EXPECT_EQ(ThereAndBack(*relay, sizes), Sent(sum));
    }
  }
}

TEST_F(RelayTest, BothHalvesAreOnePieceOfWork) {
  const auto relay = Relay::Create(*device_, 16, stream_).value();
  stream_.Begin({.kind = WorkKind::kKv, .units = 40});
  const CopyRun run = {.dst = {away_.get(), 0, 40},
                       .src = {host_.get(), 0, 40}};
  ASSERT_THAT(relay->Copy({&run, 1}), IsOk());
  ASSERT_THAT(stream_.Synchronize(), IsOk());
  EXPECT_EQ(stream_.work()[WorkKind::kKv].count, 1);
  EXPECT_EQ(stream_.work()[WorkKind::kKv].units, 40);
  EXPECT_EQ(stream_.work()[WorkKind::kKv].busy, stream_.busy());
}

TEST_F(RelayTest, NothingToCopyQueuesNothing) {
  const auto relay = Relay::Create(*device_, 16, stream_).value();
  EXPECT_THAT(relay->Copy({}), IsOk());
  EXPECT_THAT(stream_.copies(), IsEmpty());
}

}  // namespace
}  // namespace hybridserve
