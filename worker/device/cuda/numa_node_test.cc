#include "worker/device/cuda/numa_node.h"

#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

// Under `root`, as the kernel has it.
void AddDevice(const std::string& root, const std::string& id,
               const std::string& node) {
  std::filesystem::create_directories(root + "/" + id);
  std::ofstream(root + "/" + id + "/numa_node") << node;
}

TEST(NumaNodeTest, ReadsWhatTheKernelSays) {
  const std::string root = ::testing::TempDir() + "/pci";
  AddDevice(root, "0000:41:00.0", "1\n");
  AddDevice(root, "0000:a1:00.0", "7\n");
  AddDevice(root, "0000:01:00.0", "-1\n");
  AddDevice(root, "0000:02:00.0", "many\n");
  EXPECT_EQ(NumaNodeOf("0000:41:00.0", root), 1);
  EXPECT_EQ(NumaNodeOf("0000:A1:00.0", root), 7);
  EXPECT_EQ(NumaNodeOf("0000:01:00.0", root), std::nullopt);
  EXPECT_EQ(NumaNodeOf("0000:02:00.0", root), std::nullopt);
  EXPECT_EQ(NumaNodeOf("0000:03:00.0", root), std::nullopt);
}

int Policy() {
  int policy = -1;
  syscall(SYS_get_mempolicy, &policy, nullptr, 0, nullptr, 0);
  return policy;
}

TEST(NumaNodeTest, PrefersTheNodeForAsLongAsItLives) {
  if (Policy() != MPOL_DEFAULT) GTEST_SKIP() << "no policy can be read here";
  {
    const PreferredNumaNode preferred(0);
    const int policy = Policy();
    if (policy == MPOL_DEFAULT) GTEST_SKIP() << "no policy can be set here";
    EXPECT_EQ(policy, MPOL_PREFERRED);
  }
  EXPECT_EQ(Policy(), MPOL_DEFAULT);
  {
    const PreferredNumaNode none(std::nullopt);
    EXPECT_EQ(Policy(), MPOL_DEFAULT);
  }
}

}  // namespace
}  // namespace hybridserve
