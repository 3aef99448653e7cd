#include "worker/device/testing/device_conformance.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "common/testing/status_matchers.h"
#include "glog/logging.h"

namespace hybridserve {

std::unique_ptr<Buffer> DeviceConformance::Allocate(MemorySpace space,
                                                    int64_t bytes) {
  auto buffer = device().Allocate(space, bytes);
  CHECK(buffer.ok()) << buffer.status();
  return *std::move(buffer);
}

std::unique_ptr<Buffer> DeviceConformance::Filled(int64_t bytes, char fill) {
  std::unique_ptr<Buffer> buffer = Allocate(MemorySpace::kHost, bytes);
  std::fill_n(buffer->host_bytes().data(), bytes, fill);
  return buffer;
}

namespace {

BufferView All(const Buffer& buffer) { return {&buffer, 0, buffer.size()}; }

absl::Status CopyOne(Stream& stream, BufferView dst, BufferView src) {
  const CopyRun run{dst, src};
  return stream.Copy(absl::MakeConstSpan(&run, 1));
}

bool IsFilled(const Buffer& buffer, char want) {
  const absl::Span<char> bytes = buffer.host_bytes();
  return std::all_of(bytes.begin(), bytes.end(),
                     [&](char byte) { return byte == want; });
}

TEST_P(DeviceConformance, SaysWhatItIs) {
  EXPECT_FALSE(device().info().backend.empty());
  EXPECT_FALSE(device().info().description.empty());
  EXPECT_FALSE(device().info().isa.empty());
  EXPECT_GT(device().info().memory_bytes, 0);
}

TEST_P(DeviceConformance, BuffersAreZeroedAndAligned) {
  std::unique_ptr<Stream> stream = device().CreateStream(StreamKind::kCopyOut);
  for (const int64_t bytes : {0, 1, 63, 4096, 3 << 20}) {
    for (const MemorySpace space : {MemorySpace::kHost, MemorySpace::kDevice}) {
      const std::unique_ptr<Buffer> buffer = Allocate(space, bytes);
      EXPECT_EQ(buffer->size(), bytes);
      EXPECT_EQ(buffer->space(), space);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer->address()) % 64, 0U);
      const std::unique_ptr<Buffer> host = Filled(bytes, 'x');
      ASSERT_THAT(CopyOne(*stream, All(*host), All(*buffer)), IsOk());
      ASSERT_THAT(stream->Synchronize(), IsOk());
      EXPECT_TRUE(IsFilled(*host, 0)) << bytes;
    }
  }
}

TEST_P(DeviceConformance, RefusesNegativeSizes) {
  EXPECT_FALSE(device().Allocate(MemorySpace::kHost, -1).ok());
  EXPECT_FALSE(device().Allocate(MemorySpace::kDevice, -1).ok());
}

TEST_P(DeviceConformance, ScatteredCopiesRoundTrip) {
  constexpr int64_t kPieces = 37;
  constexpr int64_t kBytes = 129;
  const std::unique_ptr<Buffer> source =
      Allocate(MemorySpace::kHost, kPieces * kBytes);
  for (int64_t i = 0; i < source->size(); ++i) {
    source->host_bytes()[i] = static_cast<char>(i * 7 + i / 256);
  }
  const std::unique_ptr<Buffer> middle =
      Allocate(MemorySpace::kDevice, kPieces * kBytes);
  const std::unique_ptr<Buffer> result = Filled(kPieces * kBytes, 'x');
  std::unique_ptr<Stream> in = device().CreateStream(StreamKind::kCopyIn);
  std::unique_ptr<Stream> out = device().CreateStream(StreamKind::kCopyOut);
  std::unique_ptr<Event> arrived = device().CreateEvent();

  // Pieces in a shuffled order on the way in, in one merged run back.
  std::vector<CopyRun> scatter;
  std::vector<CopyRun> gather;
  for (int64_t i = 0; i < kPieces; ++i) {
    const int64_t to = i * 11 % kPieces;
    scatter.push_back({All(*middle).Slice(to * kBytes, kBytes),
                       All(*source).Slice(i * kBytes, kBytes)});
    gather.push_back({All(*result).Slice(i * kBytes, kBytes),
                      All(*middle).Slice(i * kBytes, kBytes)});
  }
  ASSERT_THAT(in->Copy(scatter), IsOk());
  ASSERT_THAT(in->Record(*arrived), IsOk());
  ASSERT_THAT(out->Wait(*arrived), IsOk());
  ASSERT_THAT(out->Copy(gather), IsOk());
  ASSERT_THAT(out->Synchronize(), IsOk());
  for (int64_t i = 0; i < kPieces; ++i) {
    const int64_t at = i * 11 % kPieces;
    EXPECT_EQ(std::memcmp(source->host_bytes().data() + i * kBytes,
                          result->host_bytes().data() + at * kBytes, kBytes),
              0)
        << i;
  }
}

TEST_P(DeviceConformance, EmptyCopiesAreFine) {
  std::unique_ptr<Stream> stream = device().CreateStream(StreamKind::kCopyIn);
  const std::unique_ptr<Buffer> host = Filled(8, 'x');
  const std::unique_ptr<Buffer> there = Allocate(MemorySpace::kDevice, 8);
  EXPECT_THAT(stream->Copy({}), IsOk());
  EXPECT_THAT(CopyOne(*stream, All(*there).Slice(3, 0), All(*host).Slice(5, 0)),
              IsOk());
  EXPECT_THAT(stream->Synchronize(), IsOk());
}

TEST_P(DeviceConformance, CopiesOfUnequalSizesAreRefused) {
  std::unique_ptr<Stream> stream = device().CreateStream(StreamKind::kCopyIn);
  const std::unique_ptr<Buffer> host = Filled(8, 'x');
  const std::unique_ptr<Buffer> there = Allocate(MemorySpace::kDevice, 8);
  EXPECT_TRUE(absl::IsInvalidArgument(
      CopyOne(*stream, All(*there), All(*host).Slice(0, 4))));
  EXPECT_THAT(stream->Synchronize(), IsOk());
}

TEST_P(DeviceConformance, AStreamRunsInOrder) {
  std::unique_ptr<Stream> stream = device().CreateStream(StreamKind::kCopyIn);
  const std::unique_ptr<Buffer> there = Allocate(MemorySpace::kDevice, 64);
  const std::unique_ptr<Buffer> result = Filled(64, 'x');
  std::vector<std::unique_ptr<Buffer>> sources;
  for (char fill = 0; fill < 100; ++fill) {
    sources.push_back(Filled(64, fill));
    ASSERT_THAT(CopyOne(*stream, All(*there), All(*sources.back())), IsOk());
  }
  ASSERT_THAT(CopyOne(*stream, All(*result), All(*there)), IsOk());
  ASSERT_THAT(stream->Synchronize(), IsOk());
  EXPECT_TRUE(IsFilled(*result, 99));
}

// A value goes through three streams many times; each hand-over is an event.
TEST_P(DeviceConformance, EventsOrderStreams) {
  constexpr int kRounds = 200;
  const std::unique_ptr<Buffer> a = Allocate(MemorySpace::kDevice, 256);
  const std::unique_ptr<Buffer> b = Allocate(MemorySpace::kDevice, 256);
  std::vector<std::unique_ptr<Buffer>> values;
  values.reserve(kRounds);
  for (int i = 0; i < kRounds; ++i) {
    values.push_back(Filled(256, static_cast<char>(i)));
  }
  const StreamKind kinds[] = {StreamKind::kCopyIn, StreamKind::kCompute,
                              StreamKind::kCopyOut};
  std::unique_ptr<Stream> streams[3];
  std::unique_ptr<Event> done[3];
  for (int s = 0; s < 3; ++s) {
    streams[s] = device().CreateStream(kinds[s]);
    done[s] = device().CreateEvent();
  }
  std::vector<std::unique_ptr<Buffer>> seen;
  for (int i = 0; i < kRounds; ++i) {
    // In: a <- value, after the last round has read a and b.
    ASSERT_THAT(streams[0]->Wait(*done[2]), IsOk());
    ASSERT_THAT(CopyOne(*streams[0], All(*a), All(*values[i])), IsOk());
    ASSERT_THAT(streams[0]->Record(*done[0]), IsOk());
    // Compute: b <- a.
    ASSERT_THAT(streams[1]->Wait(*done[0]), IsOk());
    ASSERT_THAT(CopyOne(*streams[1], All(*b), All(*a)), IsOk());
    ASSERT_THAT(streams[1]->Record(*done[1]), IsOk());
    // Out: host <- b.
    seen.push_back(Filled(256, 'x'));
    ASSERT_THAT(streams[2]->Wait(*done[1]), IsOk());
    ASSERT_THAT(CopyOne(*streams[2], All(*seen.back()), All(*b)), IsOk());
    ASSERT_THAT(streams[2]->Record(*done[2]), IsOk());
  }
  ASSERT_THAT(done[2]->Synchronize(), IsOk());
  EXPECT_TRUE(done[2]->Done());
  for (int i = 0; i < kRounds; ++i) {
    EXPECT_TRUE(IsFilled(*seen[i], static_cast<char>(i))) << i;
  }
}

TEST_P(DeviceConformance, AnEventNeverRecordedIsComplete) {
  std::unique_ptr<Event> event = device().CreateEvent();
  EXPECT_TRUE(event->Done());
  EXPECT_THAT(event->Synchronize(), IsOk());
  std::unique_ptr<Stream> stream = device().CreateStream(StreamKind::kCompute);
  EXPECT_THAT(stream->Wait(*event), IsOk());
  EXPECT_THAT(stream->Synchronize(), IsOk());
}

// Two streams that wait for each other's earlier records: a wait means the
// record before it, not one that comes later.
TEST_P(DeviceConformance, AWaitMeansTheLastRecordBeforeIt) {
  std::unique_ptr<Stream> one = device().CreateStream(StreamKind::kCompute);
  std::unique_ptr<Stream> two = device().CreateStream(StreamKind::kCopyIn);
  std::unique_ptr<Event> a = device().CreateEvent();
  std::unique_ptr<Event> b = device().CreateEvent();
  for (int i = 0; i < 50; ++i) {
    ASSERT_THAT(one->Wait(*b), IsOk());
    ASSERT_THAT(one->Record(*a), IsOk());
    ASSERT_THAT(two->Wait(*a), IsOk());
    ASSERT_THAT(two->Record(*b), IsOk());
  }
  EXPECT_THAT(one->Synchronize(), IsOk());
  EXPECT_THAT(two->Synchronize(), IsOk());
}

TEST_P(DeviceConformance, EventsMayGoBeforeTheirStreams) {
  std::unique_ptr<Stream> one = device().CreateStream(StreamKind::kCopyIn);
  std::unique_ptr<Stream> two = device().CreateStream(StreamKind::kCompute);
  const std::unique_ptr<Buffer> there = Allocate(MemorySpace::kDevice, 1 << 20);
  const std::unique_ptr<Buffer> host = Filled(1 << 20, 'x');
  {
    std::unique_ptr<Event> event = device().CreateEvent();
    ASSERT_THAT(CopyOne(*one, All(*there), All(*host)), IsOk());
    ASSERT_THAT(one->Record(*event), IsOk());
    ASSERT_THAT(two->Wait(*event), IsOk());
  }
  EXPECT_THAT(two->Synchronize(), IsOk());
  EXPECT_THAT(one->Synchronize(), IsOk());
}

TEST_P(DeviceConformance, BusyCountsOpsAndNothingElse) {
  std::unique_ptr<Stream> one = device().CreateStream(StreamKind::kCopyIn);
  std::unique_ptr<Stream> two = device().CreateStream(StreamKind::kCompute);
  std::unique_ptr<Event> event = device().CreateEvent();
  EXPECT_EQ(one->busy(), absl::ZeroDuration());
  const std::unique_ptr<Buffer> there = Allocate(MemorySpace::kDevice, 1 << 20);
  const std::unique_ptr<Buffer> host = Filled(1 << 20, 'x');
  ASSERT_THAT(CopyOne(*one, All(*there), All(*host)), IsOk());
  ASSERT_THAT(one->Record(*event), IsOk());
  ASSERT_THAT(two->Wait(*event), IsOk());
  ASSERT_THAT(two->Synchronize(), IsOk());
  ASSERT_THAT(one->Synchronize(), IsOk());
  EXPECT_GT(one->busy(), absl::ZeroDuration());
  EXPECT_EQ(two->busy(), absl::ZeroDuration());  // It only waited.
  const absl::Duration after = one->busy();
  EXPECT_EQ(one->busy(), after);  // Idle.
}

TEST_P(DeviceConformance, StreamsKnowTheirKind) {
  for (const StreamKind kind :
       {StreamKind::kCompute, StreamKind::kCopyIn, StreamKind::kCopyOut}) {
    EXPECT_EQ(device().CreateStream(kind)->kind(), kind);
  }
}

}  // namespace
}  // namespace hybridserve
