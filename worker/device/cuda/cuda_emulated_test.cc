// The cuda backend's very code on the emulated device: the suites that all
// backends pass, in several orders of execution, and nothing that the emulation
// objects to.

#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "common/testing/status_matchers.h"
#include "cuda_runtime_api.h"
#include "glog/logging.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "kernels/testing/ops_conformance.h"
#include "kernels/testing/tolerance.h"
#include "tests/emulation/emulated_device.h"
#include "tests/emulation/fault_log.h"
#include "worker/device/cuda/cublas_gemm.h"
#include "worker/device/cuda/cuda_device.h"
#include "worker/device/cuda/ops_backends.h"
#include "worker/device/cuda/pinned_memory.h"
#include "worker/device/testing/device_conformance.h"

namespace hybridserve {
namespace {

using emulation::EmulatedDevice;
using emulation::EmulatedMachine;
using emulation::TakeFaults;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The emulated cuBLAS is part of this program.
absl::StatusOr<std::unique_ptr<Device>> Create(int ordinal = 0,
                                               bool batch_invariant = false) {
  return CreateCudaDevice({.ordinal = ordinal,
                           .batch_invariant = batch_invariant,
                           .cublas_libraries = {""}});
}

std::unique_ptr<Device> MakeDevice(uint64_t seed,
                                   bool batch_invariant = false) {
  EmulatedDevice::Get().SetSeed(seed);
  auto device = Create(0, batch_invariant);
  CHECK(device.ok()) << device.status();
  return *std::move(device);
}

// After each test: nothing is left, and nothing was wrong.
class FaultListener : public ::testing::EmptyTestEventListener {
  void OnTestEnd(const ::testing::TestInfo& /*test*/) override {
    EmulatedDevice::Get().ReportLeaks();
    EXPECT_THAT(TakeFaults(), IsEmpty());
  }
};

// Sends `count` runs to the device and back, spread over twice the memory in
// either place.
void ExpectCopies(Device& device, int64_t bytes, int64_t count) {
  const int64_t total = 2 * bytes * count;
  auto from = device.Allocate(MemorySpace::kHost, total);
  auto there = device.Allocate(MemorySpace::kDevice, total);
  auto to = device.Allocate(MemorySpace::kHost, total);
  ASSERT_TRUE(from.ok() && there.ok() && to.ok());
  for (int64_t i = 0; i < total; ++i) {
    (*from)->host_bytes()[i] = static_cast<char>(i * 7 % 251);
  }
  std::vector<CopyRun> in;
  std::vector<CopyRun> out;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t at = 2 * i * bytes;
    const int64_t turned = 2 * (count - 1 - i) * bytes;
    in.push_back({{there->get(), turned, bytes}, {from->get(), at, bytes}});
    out.push_back({{to->get(), at, bytes}, {there->get(), turned, bytes}});
  }
  const auto stream = device.CreateStream(StreamKind::kCopyIn);
  ASSERT_THAT(stream->Copy(in), IsOk());
  ASSERT_THAT(stream->Copy(out), IsOk());
  ASSERT_THAT(stream->Synchronize(), IsOk());
  for (int64_t i = 0; i < total; ++i) {
    const bool copied = i / bytes % 2 == 0;
    ASSERT_EQ((*to)->host_bytes()[i], copied ? (*from)->host_bytes()[i] : 0)
        << i;
  }
}

class CudaBackendTest : public ::testing::Test {
 protected:
  ~CudaBackendTest() override { EmulatedDevice::Get().SetMachine({}); }
};

TEST_F(CudaBackendTest, SaysInOneLineThatThereIsNoDriverOrDevice) {
  EmulatedDevice::Get().SetMachine({.driver = false});
  EXPECT_THAT(Create().status(), StatusIs(absl::StatusCode::kUnavailable));
  EmulatedDevice::Get().SetMachine({.devices = 0});
  EXPECT_THAT(Create().status(), StatusIs(absl::StatusCode::kUnavailable));
  EmulatedDevice::Get().SetMachine({.devices = 2});
  EXPECT_THAT(Create(2).status(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("cuda:2")));
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
}

TEST_F(CudaBackendTest, SaysThatThereIsNoCublas) {
  EXPECT_THAT(
      CreateCudaDevice({.cublas_libraries = {"libnothing.so.1"}}).status(),
      StatusIs(absl::StatusCode::kUnavailable, HasSubstr("libnothing.so.1")));
}

TEST_F(CudaBackendTest, MemoryThatIsNotThereIsAnError) {
  EmulatedDevice::Get().SetMachine({.device_bytes = 128 << 20});
  const auto device = Create();
  ASSERT_THAT(device.status(), IsOk());
  const DeviceInfo& info = (*device)->info();
  EXPECT_EQ(info.memory_bytes, 128 << 20);
  EXPECT_GE(info.reserved_bytes, CublasGemm::kWorkspaceBytes);
  EXPECT_LT(info.reserved_bytes, 100 << 20);
  EXPECT_THAT(
      (*device)->Allocate(MemorySpace::kDevice, 128 << 20).status(),
      StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("134217728")));
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
}

TEST_F(CudaBackendTest, HostMemoryIsPinnedOneWayOrAnother) {
  struct Case {
    EmulatedMachine machine;
    int64_t bytes;
    Pinning want;
  };
  const std::vector<Case> cases = {
      {{}, 0, Pinning::kAllocated},
      {{}, 1 << 16, Pinning::kAllocated},
      {{.host_alloc_bytes = 4096}, 1 << 16, Pinning::kRegistered},
      // More than is pinned at once.
      {{}, 5 << 16, Pinning::kRegistered},
      {{.host_alloc_bytes = 0, .can_register = false},
       1 << 16,
       Pinning::kPageable},
  };
  for (const Case& c : cases) {
    EmulatedDevice::Get().SetMachine(c.machine);
    const auto memory = PinnedMemory::Allocate(c.bytes, 2 << 16);
    ASSERT_THAT(memory.status(), IsOk());
    EXPECT_EQ(memory->pinning(), c.want) << c.bytes;
    EXPECT_EQ(cudaGetLastError(), cudaSuccess);
    const auto* const bytes = static_cast<const char*>(memory->address());
    for (int64_t i = 0; i < c.bytes; i += 4096) EXPECT_EQ(bytes[i], 0);
  }
}

TEST_F(CudaBackendTest, BuffersTellWhetherTheyArePinned) {
  const auto pinned = [](MemorySpace space) {
    const auto device = Create();
    CHECK(device.ok()) << device.status();
    return (*device)->Allocate(space, 1 << 16).value()->pinned();
  };
  EXPECT_TRUE(pinned(MemorySpace::kHost));
  EmulatedDevice::Get().SetMachine(EmulatedMachine::ThatPinsNothing());
  EXPECT_FALSE(pinned(MemorySpace::kHost));
  EXPECT_TRUE(pinned(MemorySpace::kDevice));
}

// Scattered as cache is, of every size about those that change how it is done,
// from memory that the runtime gave, from such as it was shown, and from such
// as it pins in no way.
TEST_F(CudaBackendTest, CopiesRunsOfEverySize) {
  for (const EmulatedMachine& machine :
       {EmulatedMachine{}, EmulatedMachine{.host_alloc_bytes = 0},
        EmulatedMachine::ThatPinsNothing()}) {
    EmulatedDevice::Get().SetMachine(machine);
    const auto device = Create();
    ASSERT_THAT(device.status(), IsOk());
    for (const int64_t bytes : {2, 16, 48, 8176, 8192, 8208, 49152}) {
      for (const int64_t count : {1, 3, 4, 17, 128, 130}) {
        if (bytes * count > 1 << 20) continue;
        SCOPED_TRACE(testing::Message() << count << " of " << bytes);
        ExpectCopies(**device, bytes, count);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Cuda, DeviceConformance,
    ::testing::Values(
        DeviceUnderTest{.name = "lazy", .make = [] { return MakeDevice(0); }},
        DeviceUnderTest{.name = "mixed", .make = [] { return MakeDevice(1); }},
        DeviceUnderTest{.name = "eager", .make = [] { return MakeDevice(2); }}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Cuda, OpsConformance,
    ::testing::ValuesIn(CudaOpsBackends([](bool batch_invariant) {
      return MakeDevice(1, batch_invariant);
    })),
    [](const auto& info) { return info.param.name; });

// Prints what has run; false if a kernel that the backend launches has not.
bool PrintCoverage() {
  const auto runs = EmulatedDevice::Get().kernel_runs();
  for (const auto& [name, count] : runs) {
    std::cout << "kernel " << name << ": " << count.launches << " launches of "
              << count.fewest_threads << " to " << count.most_threads
              << " threads" << std::endl;
  }
  for (const auto& [test, share] : WorstErrors()) {
    std::cout << test << ": worst error "
              << absl::StrFormat("%.1f", 100 * share) << "% of what is allowed"
              << std::endl;
  }
  bool complete = true;
  for (const char* const name :
       {"AttentionKernel", "ConvertKernel", "CopyKernel", "LayerNormKernel",
        "LinearFinishKernel", "LogProbKernel", "RotaryKernel",
        "SampleKernel"}) {
    if (runs.contains(name)) continue;
    std::cout << "kernel " << name << " has not run" << std::endl;
    complete = false;
  }
  return complete;
}

}  // namespace
}  // namespace hybridserve

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  ::testing::UnitTest::GetInstance()->listeners().Append(
      new hybridserve::FaultListener);
  const int result = RUN_ALL_TESTS();
  const bool all = ::testing::GTEST_FLAG(filter) == "*";
  return hybridserve::PrintCoverage() || !all ? result : 1;
}
