#include "worker/device/cuda/numa_node.h"

#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace hybridserve {

std::optional<int> NumaNodeOf(std::string pci_bus_id,
                              const std::string& pci_devices) {
  absl::AsciiStrToLower(&pci_bus_id);  // CUDA writes A0, the kernel a0.
  std::ifstream file(absl::StrCat(pci_devices, "/", pci_bus_id, "/numa_node"));
  int node = -1;
  if (!(file >> node) || node < 0) return std::nullopt;
  if (node >= PreferredNumaNode::kMostNodes) return std::nullopt;
  return node;
}

PreferredNumaNode::PreferredNumaNode(std::optional<int> node) {
  if (!node.has_value()) return;
  CHECK(*node >= 0 && *node < kMostNodes) << *node;
  // What numactl may have set is to hold again afterwards.
  if (syscall(SYS_get_mempolicy, &mode_before_, nodes_before_.data(),
              kMostNodes, nullptr, 0) != 0) {
    mode_before_ = MPOL_DEFAULT;
  }
  Nodes nodes = {};
  nodes[*node / kBitsPerWord] = 1UL << *node % kBitsPerWord;
  set_ = syscall(SYS_set_mempolicy, MPOL_PREFERRED, nodes.data(),
                 kMostNodes + 1) == 0;
  LOG_IF(WARNING, !set_) << "memory of NUMA node " << *node
                         << " can't be preferred: " << strerror(errno);
}

PreferredNumaNode::~PreferredNumaNode() {
  if (!set_) return;
  const bool has_nodes = mode_before_ != MPOL_DEFAULT;
  syscall(SYS_set_mempolicy, mode_before_,
          has_nodes ? nodes_before_.data() : nullptr,
          has_nodes ? kMostNodes + 1 : 0);
}

}  // namespace hybridserve
