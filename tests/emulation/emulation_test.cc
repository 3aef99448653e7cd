// The emulation finds what it is there to find, and nothing where nothing is
// wrong.

#include <cstdint>
#include <cstring>
#include <numeric>
#include <utility>
#include <vector>

#include "cuda_runtime_api.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/emulation/emulated_device.h"
#include "tests/emulation/fault_log.h"
#include "tests/emulation/sample_kernels.h"

namespace hybridserve::emulation {
namespace {

using ::testing::Contains;
using ::testing::Field;
using ::testing::IsEmpty;

// Device memory with elements in it.
template <typename T>
class DeviceArray {
 public:
  explicit DeviceArray(const std::vector<T>& values) : size_(values.size()) {
    EXPECT_EQ(cudaMalloc(&memory_, bytes()), cudaSuccess);
    EXPECT_EQ(
        cudaMemcpy(memory_, values.data(), bytes(), cudaMemcpyHostToDevice),
        cudaSuccess);
  }
  ~DeviceArray() { cudaFree(memory_); }

  T* get() const { return static_cast<T*>(memory_); }
  size_t bytes() const { return size_ * sizeof(T); }
  std::vector<T> Read() const {
    std::vector<T> values(size_);
    cudaMemcpy(values.data(), memory_, bytes(), cudaMemcpyDeviceToHost);
    return values;
  }

 private:
  const size_t size_;
  void* memory_ = nullptr;
};

// One to n.
std::vector<float> Counting(int64_t n) {
  std::vector<float> values(n);
  std::iota(values.begin(), values.end(), 1.0F);
  return values;
}

class EmulationTest : public ::testing::TestWithParam<int> {
 protected:
  EmulationTest() {
    TakeFaults();
    EmulatedDevice::Get().SetSeed(GetParam());
    EXPECT_EQ(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking),
              cudaSuccess);
    EXPECT_EQ(cudaStreamCreateWithFlags(&other_, cudaStreamNonBlocking),
              cudaSuccess);
    EXPECT_EQ(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming),
              cudaSuccess);
    EXPECT_EQ(cudaHostAlloc(&pinned_, kPinnedBytes, cudaHostAllocDefault),
              cudaSuccess);
  }
  ~EmulationTest() override {
    cudaFreeHost(pinned_);
    cudaEventDestroy(event_);
    cudaStreamDestroy(other_);
    cudaStreamDestroy(stream_);
    EmulatedDevice::Get().ReportLeaks();
    EXPECT_THAT(TakeFaults(), IsEmpty());
  }

  void ExpectFault(FaultKind kind) {
    EXPECT_THAT(TakeFaults(), Contains(Field(&Fault::kind, kind)))
        << Name(kind);
  }

  // What the fixture holds, so that only what a test leaves is a leak.
  void GiveBackAll() {
    cudaFreeHost(std::exchange(pinned_, nullptr));
    cudaEventDestroy(event_);
    cudaStreamDestroy(other_);
    cudaStreamDestroy(stream_);
  }
  void TakeAgain() {
    cudaStreamCreateWithFlags(&stream_, 0);
    cudaStreamCreateWithFlags(&other_, 0);
    cudaEventCreateWithFlags(&event_, 0);
  }

  static constexpr size_t kPinnedBytes = 4096;
  cudaStream_t stream_ = nullptr;
  cudaStream_t other_ = nullptr;
  cudaEvent_t event_ = nullptr;
  void* pinned_ = nullptr;
};

TEST_P(EmulationTest, RightKernelsAreRight) {
  for (const int64_t n : {1, 31, 96, 97, 300}) {
    const int64_t blocks = (n + kBlockThreads - 1) / kBlockThreads;
    const DeviceArray<float> in(Counting(n));
    const DeviceArray<float> sums{std::vector<float>(blocks)};
    ASSERT_TRUE(BlockSums(Mistake::kNone, in.get(), sums.get(), n, stream_));
    ASSERT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
    const std::vector<float> got = sums.Read();
    EXPECT_EQ(std::accumulate(got.begin(), got.end(), 0.0F),
              0.5F * static_cast<float>(n * (n + 1)));
  }
  EXPECT_THAT(TakeFaults(), IsEmpty());
}

TEST_P(EmulationTest, AtomicsCountWithoutRaces) {
  std::vector<uint32_t> values(500);
  std::iota(values.begin(), values.end(), 0U);
  const DeviceArray<uint32_t> in(values);
  const DeviceArray<uint32_t> counts{std::vector<uint32_t>(4)};
  ASSERT_TRUE(CountByRest(in.get(), counts.get(), 500, stream_));
  ASSERT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
  EXPECT_THAT(counts.Read(), ::testing::Each(125U));
}

TEST_P(EmulationTest, FindsMistakesOfKernels) {
  const std::vector<std::pair<Mistake, FaultKind>> cases = {
      {Mistake::kNoBarrier, FaultKind::kSharedRace},
      {Mistake::kDivergentBarrier, FaultKind::kBarrier},
      {Mistake::kEarlyReturn, FaultKind::kBarrier},
      {Mistake::kNoBoundsCheck, FaultKind::kOutOfBounds},
      {Mistake::kShortMask, FaultKind::kMask},
      {Mistake::kOutsideLane, FaultKind::kMask},
      {Mistake::kUnwritten, FaultKind::kUninitialized},
      {Mistake::kSameOutput, FaultKind::kGlobalRace},
      {Mistake::kOddAddress, FaultKind::kMisaligned},
      {Mistake::kTooMuchShared, FaultKind::kOutOfBounds},
  };
  constexpr int64_t kElements = 2048 - 5;  // Ends at no page's end.
  const DeviceArray<float> in(Counting(kElements));
  const DeviceArray<float> sums{std::vector<float>(22)};
  for (const auto& [mistake, kind] : cases) {
    SCOPED_TRACE(static_cast<int>(mistake));
    EXPECT_TRUE(BlockSums(mistake, in.get(), sums.get(), kElements, stream_));
    cudaStreamSynchronize(stream_);
    ExpectFault(kind);
  }
}

TEST_P(EmulationTest, CopiesComeWhenSomebodyWaits) {
  const DeviceArray<float> in(Counting(8));
  auto* const host = static_cast<float*>(pinned_);
  EXPECT_EQ(cudaMemcpyAsync(host, in.get(), in.bytes(), cudaMemcpyDeviceToHost,
                            stream_),
            cudaSuccess);
  EXPECT_EQ(cudaEventRecord(event_, stream_), cudaSuccess);
  // A lazy device has done nothing yet.
  if (GetParam() % 3 == 0) {
    EXPECT_EQ(host[7], 0);
  }
  EXPECT_EQ(cudaEventSynchronize(event_), cudaSuccess);
  EXPECT_EQ(host[7], 8);
}

TEST_P(EmulationTest, EventsOrderStreams) {
  const DeviceArray<float> a(Counting(8));
  const DeviceArray<float> b{std::vector<float>(8)};
  const auto copy = [&](cudaStream_t stream, bool down) {
    return down ? cudaMemcpyAsync(pinned_, a.get(), a.bytes(),
                                  cudaMemcpyDeviceToHost, stream)
                : cudaMemcpyAsync(b.get(), pinned_, a.bytes(),
                                  cudaMemcpyHostToDevice, stream);
  };
  EXPECT_EQ(copy(stream_, true), cudaSuccess);
  EXPECT_EQ(cudaEventRecord(event_, stream_), cudaSuccess);
  EXPECT_EQ(cudaStreamWaitEvent(other_, event_), cudaSuccess);
  EXPECT_EQ(copy(other_, false), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(other_), cudaSuccess);
  EXPECT_EQ(b.Read(), Counting(8));
  EXPECT_THAT(TakeFaults(), IsEmpty());
  // The same without the event.
  EXPECT_EQ(copy(stream_, true), cudaSuccess);
  EXPECT_EQ(copy(other_, false), cudaSuccess);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  ExpectFault(FaultKind::kUnordered);
}

TEST_P(EmulationTest, FindsWrongMemory) {
  const DeviceArray<float> in(Counting(8));
  std::vector<float> pageable(8);
  cudaMemcpyAsync(in.get(), pageable.data(), in.bytes(), cudaMemcpyHostToDevice,
                  stream_);
  ExpectFault(FaultKind::kPageableCopy);
  cudaMemcpyAsync(in.get(), pinned_, in.bytes(), cudaMemcpyDeviceToHost,
                  stream_);
  ExpectFault(FaultKind::kHostPointer);
  cudaMemcpyAsync(in.get() + 1, pinned_, in.bytes(), cudaMemcpyHostToDevice,
                  stream_);
  ExpectFault(FaultKind::kOutOfBounds);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  // A kernel that is given the host's memory.
  BlockSums(Mistake::kNone, pageable.data(), in.get(), 8, stream_);
  cudaStreamSynchronize(stream_);
  ExpectFault(FaultKind::kOutOfBounds);
  void* freed = nullptr;
  EXPECT_EQ(cudaMalloc(&freed, 64), cudaSuccess);
  EXPECT_EQ(cudaFree(freed), cudaSuccess);
  BlockSums(Mistake::kNone, static_cast<float*>(freed), in.get(), 8, stream_);
  cudaStreamSynchronize(stream_);
  ExpectFault(FaultKind::kUseAfterFree);
  EXPECT_NE(cudaFree(freed), cudaSuccess);
  ExpectFault(FaultKind::kBadArgument);
}

TEST_P(EmulationTest, FindsCopiesFromFreedMemory) {
  const DeviceArray<float> to{std::vector<float>(16)};
  void* freed = nullptr;
  EXPECT_EQ(cudaMalloc(&freed, 64), cudaSuccess);
  EXPECT_EQ(cudaFree(freed), cudaSuccess);
  EXPECT_NE(
      cudaMemcpyAsync(to.get(), freed, 64, cudaMemcpyDeviceToDevice, stream_),
      cudaSuccess);
  ExpectFault(FaultKind::kUseAfterFree);
  EXPECT_EQ(cudaHostAlloc(&freed, 64, cudaHostAllocDefault), cudaSuccess);
  EXPECT_EQ(cudaFreeHost(freed), cudaSuccess);
  EXPECT_NE(
      cudaMemcpyAsync(to.get(), freed, 64, cudaMemcpyHostToDevice, stream_),
      cudaSuccess);
  ExpectFault(FaultKind::kUseAfterFree);
  EXPECT_NE(cudaGetLastError(), cudaSuccess);
}

TEST_P(EmulationTest, FindsStreamsAndEventsThatAreLeft) {
  cudaStream_t stream = nullptr;
  cudaStreamCreateWithFlags(&stream, 0);
  GiveBackAll();
  EmulatedDevice::Get().ReportLeaks();
  ExpectFault(FaultKind::kLeak);
  cudaEventCreateWithFlags(&event_, 0);
  EmulatedDevice::Get().ReportLeaks();
  ExpectFault(FaultKind::kLeak);
  TakeAgain();
}

TEST_P(EmulationTest, FindsLeaks) {
  void* leaked = nullptr;
  EXPECT_EQ(cudaMalloc(&leaked, 64), cudaSuccess);
  GiveBackAll();
  EmulatedDevice::Get().ReportLeaks();
  ExpectFault(FaultKind::kLeak);
  TakeAgain();
}

TEST_P(EmulationTest, AnEmptyGridIsRefused) {
  EXPECT_FALSE(BlockSums(Mistake::kNone, nullptr, nullptr, 0, stream_));
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidValue);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  ExpectFault(FaultKind::kBadArgument);
}

// As on hardware.
TEST_P(EmulationTest, NothingWorksAfterThreadsThatWaitInVain) {
  const DeviceArray<float> in(Counting(96));
  const DeviceArray<float> sums{std::vector<float>(1)};
  BlockSums(Mistake::kOddMasks, in.get(), sums.get(), 96, stream_);
  EXPECT_EQ(cudaStreamSynchronize(stream_), cudaErrorLaunchFailure);
  ExpectFault(FaultKind::kMask);
  EXPECT_EQ(cudaEventRecord(event_, stream_), cudaErrorLaunchFailure);
}

INSTANTIATE_TEST_SUITE_P(Seeds, EmulationTest, ::testing::Range(0, 6));

}  // namespace
}  // namespace hybridserve::emulation
