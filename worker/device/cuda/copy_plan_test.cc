#include "worker/device/cuda/copy_plan.h"

#include <sys/mman.h>

#include <cstdint>
#include <vector>

#include "glog/logging.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

constexpr int64_t kSize = int64_t{1} << 30;

// Only addresses count: nothing is read.
class FakeBuffer final : public Buffer {
 public:
  explicit FakeBuffer(MemorySpace space)
      : Buffer(space,
               mmap(nullptr, kSize, PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
               kSize) {
    CHECK(address() != MAP_FAILED);
  }
  ~FakeBuffer() override { munmap(address(), kSize); }
};

class CopyPlanTest : public ::testing::Test {
 protected:
  CopyPlanTest() { Pin(0, kSize); }

  void Pin(int64_t from, int64_t bytes) {
    pinned_.Add(static_cast<char*>(host_.address()) + from, bytes);
  }
  CopyRun Run(int64_t to, int64_t from, int64_t bytes) const {
    return {{&device_, to, bytes}, {&host_, from, bytes}};
  }
  // `count` runs that lie apart.
  std::vector<CopyRun> Scattered(int count, int64_t bytes) const {
    std::vector<CopyRun> runs;
    runs.reserve(count);
    for (int64_t i = 0; i < count; ++i) {
      runs.push_back(Run(i * bytes, 2 * i * bytes, bytes));
    }
    return runs;
  }

  const FakeBuffer host_{MemorySpace::kHost};
  const FakeBuffer device_{MemorySpace::kDevice};
  PinnedRanges pinned_;
};

TEST_F(CopyPlanTest, ManySmallRunsAreForTheKernel) {
  EXPECT_TRUE(PlanCopies(Scattered(4, 1 << 17), pinned_).by_kernel);
  EXPECT_TRUE(PlanCopies(Scattered(100, 16), pinned_).by_kernel);
  EXPECT_FALSE(PlanCopies(Scattered(3, 1 << 17), pinned_).by_kernel);
  EXPECT_FALSE(PlanCopies(Scattered(100, 1 << 19), pinned_).by_kernel);
  EXPECT_TRUE(PlanCopies({}, pinned_).runs.empty());
}

TEST_F(CopyPlanTest, TheKernelCopiesWholeWordsOfPinnedMemory) {
  std::vector<CopyRun> runs = Scattered(8, 1 << 10);
  runs[3] = Run(1 << 20, (1 << 20) + 8, 64);
  EXPECT_FALSE(PlanCopies(runs, pinned_).by_kernel);
  runs[3] = Run(1 << 20, 1 << 20, 72);
  EXPECT_FALSE(PlanCopies(runs, pinned_).by_kernel);
  runs[3] = Run(1 << 20, 1 << 20, 64);
  EXPECT_TRUE(PlanCopies(runs, pinned_).by_kernel);
  pinned_.Remove(host_.address());
  const CopyPlan plan = PlanCopies(runs, pinned_);
  EXPECT_FALSE(plan.by_kernel);
  EXPECT_EQ(plan.runs.size(), runs.size());
}

TEST_F(CopyPlanTest, RunsEndWhereWhatIsPinnedAtOnceEnds) {
  pinned_.Remove(host_.address());
  Pin(0, 1000);
  Pin(1000, 500);
  Pin(1500, 5000);
  const CopyRun run = Run(77, 900, 1200);
  const CopyPlan plan = PlanCopies({&run, 1}, pinned_);
  ASSERT_EQ(plan.runs.size(), 3);
  int64_t done = 0;
  for (const int64_t bytes : {100, 500, 600}) {
    const CopyRun& part = plan.runs[done == 0 ? 0 : done == 100 ? 1 : 2];
    EXPECT_EQ(part.src.offset, 900 + done);
    EXPECT_EQ(part.dst.offset, 77 + done);
    EXPECT_EQ(part.src.size, bytes);
    EXPECT_EQ(part.dst.size, bytes);
    done += bytes;
  }
}

}  // namespace
}  // namespace hybridserve
