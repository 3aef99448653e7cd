#ifndef HYBRIDSERVE_WORKER_DEVICE_CUDA_NUMA_NODE_H_
#define HYBRIDSERVE_WORKER_DEVICE_CUDA_NUMA_NODE_H_

#include <array>
#include <climits>
#include <optional>
#include <string>

namespace hybridserve {

// The NUMA node that a PCI device ("0000:41:00.0") hangs on, by what the kernel
// says under `pci_devices`; unset on machines with one node and where nothing
// is known.
std::optional<int> NumaNodeOf(
    std::string pci_bus_id,
    const std::string& pci_devices = "/sys/bus/pci/devices");

// While it lives, memory that the calling thread touches first comes from
// `node`, as far as there is room, and afterwards as before; without a node
// nothing changes. What the kernel refuses is logged and else of no
// consequence. Of one thread.
class PreferredNumaNode {
 public:
  static constexpr int kMostNodes = 1024;  // Of Linux.

  explicit PreferredNumaNode(std::optional<int> node);
  PreferredNumaNode(const PreferredNumaNode&) = delete;
  PreferredNumaNode& operator=(const PreferredNumaNode&) = delete;
  ~PreferredNumaNode();

 private:
  static constexpr int kBitsPerWord =
      sizeof(unsigned long) * CHAR_BIT;    // NOLINT(google-runtime-int)
  using Nodes = std::array<unsigned long,  // NOLINT(google-runtime-int)
                           kMostNodes / kBitsPerWord>;

  bool set_ = false;
  int mode_before_ = 0;
  Nodes nodes_before_ = {};
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_CUDA_NUMA_NODE_H_
