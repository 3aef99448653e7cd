#include "client/doctor/cgroup_limits.h"

#include <optional>

#include "client/doctor/system_tree.h"
#include "client/doctor/testing/recorded_tree.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

TEST(CgroupLimitsTest, NothingIsNoLimit) {
  const CgroupLimits limits = ReadCgroupLimits(SystemTree("/no/such/folder"));
  EXPECT_EQ(limits.version, 0);
  EXPECT_EQ(limits.memory_bytes, std::nullopt);
  EXPECT_EQ(limits.cpus, std::nullopt);
}

TEST(CgroupLimitsTest, TheTightestOfAllParentsCounts) {
  const RecordedTree recorded(R"(
== /proc/self/cgroup
0::/a/b
== /sys/fs/cgroup/cgroup.controllers
cpu memory
== /sys/fs/cgroup/a/b/memory.max
max
== /sys/fs/cgroup/a/b/cpu.max
400000 100000
== /sys/fs/cgroup/a/memory.max
1000
== /sys/fs/cgroup/a/cpu.max
75000 50000
== /sys/fs/cgroup/memory.max
2000
)");
  const CgroupLimits limits = ReadCgroupLimits(recorded.tree());
  EXPECT_EQ(limits.version, 2);
  EXPECT_EQ(limits.memory_bytes, 1000);
  EXPECT_EQ(limits.cpus, 1.5);
}

TEST(CgroupLimitsTest, V1HasAFolderForEachController) {
  const RecordedTree recorded(R"(
== /proc/self/cgroup
5:cpu,cpuacct:/x
4:hugetlb,memory:/x
0::/
== /sys/fs/cgroup/memory/x/memory.limit_in_bytes
5000
== /sys/fs/cgroup/memory/memory.limit_in_bytes
9223372036854771712
== /sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us
250000
== /sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us
100000
== /sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us
-1
== /sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us
100000
)");
  const CgroupLimits limits = ReadCgroupLimits(recorded.tree());
  EXPECT_EQ(limits.version, 1);
  EXPECT_EQ(limits.memory_bytes, 5000);
  EXPECT_EQ(limits.cpus, 2.5);
}

TEST(CgroupLimitsTest, OddFilesLimitNothing) {
  const RecordedTree recorded(R"(
== /proc/self/cgroup
0::/a
nonsense
7:memory
== /sys/fs/cgroup/cgroup.controllers
memory
== /sys/fs/cgroup/a/memory.max
lots
== /sys/fs/cgroup/a/cpu.max
100000 0
)");
  const CgroupLimits limits = ReadCgroupLimits(recorded.tree());
  EXPECT_EQ(limits.memory_bytes, std::nullopt);
  EXPECT_EQ(limits.cpus, std::nullopt);
}

}  // namespace
}  // namespace hybridserve
