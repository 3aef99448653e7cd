#include "worker/host_limit.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::HasSubstr;

// A root folder with files as the kernel would show them.
class HostLimitTest : public testing::Test {
 protected:
  HostLimitTest()
      : root_(testing::TempDir() + "/" +
              testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(root_);
    Write("/proc/meminfo", "MemTotal: 9000 kB\nMemAvailable:    8000 kB\n");
  }
  ~HostLimitTest() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path full = root_ + path;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full) << text;
  }
  HostLimit Read() { return ReadHostLimit(root_).value(); }

  const std::string root_;
};

TEST_F(HostLimitTest, WithoutCgroupsAvailableMemoryCounts) {
  EXPECT_EQ(Read().available_bytes, 8000 * 1024);
  EXPECT_EQ(Read().reason, "available memory");
}

TEST_F(HostLimitTest, MeminfoMustBeThere) {
  EXPECT_THAT(ReadHostLimit(root_ + "/nowhere"),
              StatusIs(absl::StatusCode::kUnavailable, "MemAvailable"));
}

TEST_F(HostLimitTest, V2LimitLessUseCountsAndDroppablePagesAreFree) {
  Write("/proc/self/cgroup", "0::/pod/worker\n");
  Write("/sys/fs/cgroup/pod/worker/memory.max", "1000000\n");
  Write("/sys/fs/cgroup/pod/worker/memory.current", "400000\n");
  Write("/sys/fs/cgroup/pod/worker/memory.stat",
        "anon 5\ninactive_file 100000\nactive_file 7\n");
  EXPECT_EQ(Read().available_bytes, 700000);
  EXPECT_THAT(Read().reason, HasSubstr("cgroup"));
}

TEST_F(HostLimitTest, TheTightestParentCounts) {
  Write("/proc/self/cgroup", "0::/pod/worker\n");
  Write("/sys/fs/cgroup/pod/worker/memory.max", "max\n");
  Write("/sys/fs/cgroup/pod/worker/memory.current", "400000\n");
  Write("/sys/fs/cgroup/pod/memory.max", "500000\n");
  Write("/sys/fs/cgroup/pod/memory.current", "450000\n");
  EXPECT_EQ(Read().available_bytes, 50000);
}

TEST_F(HostLimitTest, APathFromOutsideAContainerFallsBackToTheRoot) {
  Write("/proc/self/cgroup", "0::/not/visible/here\n");
  Write("/sys/fs/cgroup/memory.max", "300000\n");
  Write("/sys/fs/cgroup/memory.current", "100000\n");
  EXPECT_EQ(Read().available_bytes, 200000);
}

TEST_F(HostLimitTest, V1LimitCounts) {
  Write("/proc/self/cgroup", "5:cpu,cpuacct:/a\n4:hugetlb,memory:/a\n");
  Write("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "700000\n");
  Write("/sys/fs/cgroup/memory/a/memory.usage_in_bytes", "100000\n");
  Write("/sys/fs/cgroup/memory/a/memory.stat", "total_inactive_file 50000\n");
  EXPECT_EQ(Read().available_bytes, 650000);
}

TEST_F(HostLimitTest, V1WithoutALimitHasAHugeOne) {
  Write("/proc/self/cgroup", "4:memory:/\n");
  Write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  Write("/sys/fs/cgroup/memory/memory.usage_in_bytes", "100000\n");
  EXPECT_EQ(Read().reason, "available memory");
}

TEST_F(HostLimitTest, OverspentLimitsLeaveNothing) {
  Write("/proc/self/cgroup", "0::/\n");
  Write("/sys/fs/cgroup/memory.max", "1000\n");
  Write("/sys/fs/cgroup/memory.current", "5000\n");
  EXPECT_EQ(Read().available_bytes, 0);
}

TEST(HostLimitOnThisMachineTest, ThereIsSome) {
  EXPECT_GT(ReadHostLimit().value().available_bytes, 0);
}

}  // namespace
}  // namespace hybridserve
