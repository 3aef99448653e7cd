#include "client/doctor/host_facts.h"

#include <optional>
#include <string>

#include "client/doctor/system_tree.h"
#include "client/doctor/testing/recorded_tree.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

constexpr int64_t kKiB = 1024;
constexpr int64_t kGiB = int64_t{1} << 30;

HostFacts FactsOf(const std::string& name) {
  return ReadHostFacts(
      RecordedTree::FromFile("client/doctor/testdata/" + name + ".tree")
          .tree());
}

TEST(HostFactsTest, AVirtualMachineWithCgroupV1) {
  const HostFacts facts = FactsOf("virtual_machine");
  EXPECT_EQ(facts.cores, 2);
  EXPECT_EQ(facts.memory_bytes, 24683656 * kKiB);
  EXPECT_EQ(facts.available_bytes, 7 * kGiB);
  EXPECT_EQ(facts.available_reason, "cgroup limit of 8.00 GiB");
  EXPECT_EQ(facts.cgroup_version, 1);
  EXPECT_EQ(facts.cgroup_memory_bytes, 8 * kGiB);
  EXPECT_EQ(facts.cgroup_cpus, std::nullopt);
  EXPECT_TRUE(facts.limits_known);
  EXPECT_EQ(facts.max_locked_bytes, 8388608);
  EXPECT_EQ(facts.max_open_files, 20000);
  EXPECT_EQ(facts.numa_nodes, 1);
  EXPECT_TRUE(facts.gpus.empty());
  EXPECT_EQ(facts.transparent_huge_pages, "madvise");
  EXPECT_EQ(facts.reserved_huge_bytes, 0);
  EXPECT_EQ(facts.clock_source, "tsc");
  EXPECT_EQ(facts.nvidia_driver_version, "");
}

TEST(HostFactsTest, APodWithAGpuOnTwoNodes) {
  const HostFacts facts = FactsOf("gpu_pod");
  EXPECT_EQ(facts.cores, 32);
  EXPECT_EQ(facts.cgroup_version, 2);
  EXPECT_EQ(facts.cgroup_memory_bytes, 128 * kGiB);
  EXPECT_EQ(facts.available_bytes, 126 * kGiB + kGiB / 2);
  EXPECT_EQ(facts.cgroup_cpus, 6.5);
  EXPECT_EQ(facts.max_locked_bytes, 65536);
  EXPECT_EQ(facts.max_open_files, 1048576);
  EXPECT_EQ(facts.numa_nodes, 2);
  // Neither the bridge nor the GPU's sound.
  ASSERT_EQ(facts.gpus.size(), 1);
  EXPECT_EQ(facts.gpus[0].address, "0000:41:00.0");
  EXPECT_EQ(facts.gpus[0].numa_node, 1);
  EXPECT_EQ(facts.gpus[0].lanes, 8);
  EXPECT_EQ(facts.gpus[0].max_lanes, 16);
  EXPECT_EQ(facts.transparent_huge_pages, "never");
  EXPECT_EQ(facts.reserved_huge_bytes, 9 * kGiB);
  EXPECT_EQ(facts.clock_source, "hpet");
  EXPECT_EQ(facts.nvidia_driver_version, "550.54.15");
}

TEST(HostFactsTest, ALaptopWithoutNumaAndLimits) {
  const HostFacts facts = FactsOf("laptop");
  EXPECT_EQ(facts.cores, 8);
  EXPECT_EQ(facts.cgroup_version, 2);
  EXPECT_EQ(facts.cgroup_memory_bytes, std::nullopt);
  EXPECT_EQ(facts.cgroup_cpus, std::nullopt);
  EXPECT_EQ(facts.available_bytes, 20480000 * kKiB);
  EXPECT_TRUE(facts.limits_known);
  EXPECT_EQ(facts.max_locked_bytes, std::nullopt);
  EXPECT_EQ(facts.max_open_files, 256);
  EXPECT_EQ(facts.numa_nodes, 0);
  ASSERT_EQ(facts.gpus.size(), 1);
  EXPECT_EQ(facts.gpus[0].numa_node, std::nullopt);
  EXPECT_EQ(facts.gpus[0].lanes, std::nullopt);
}

TEST(HostFactsTest, WithoutProcAndSysNothingIsKnown) {
  const HostFacts facts = ReadHostFacts(SystemTree("/no/such/folder"));
  EXPECT_EQ(facts.cores, 0);
  EXPECT_EQ(facts.memory_bytes, 0);
  EXPECT_EQ(facts.available_bytes, std::nullopt);
  EXPECT_FALSE(facts.limits_known);
  EXPECT_EQ(facts.transparent_huge_pages, "");
  EXPECT_EQ(facts.clock_source, "");
}

TEST(HostFactsTest, ThisMachineHasCoresMemoryAndLimits) {
  const HostFacts facts = ReadHostFacts(SystemTree());
  EXPECT_GT(facts.cores, 0);
  EXPECT_GT(facts.memory_bytes, 0);
  EXPECT_GT(facts.available_bytes.value_or(0), 0);
  EXPECT_TRUE(facts.limits_known);
}

}  // namespace
}  // namespace hybridserve
