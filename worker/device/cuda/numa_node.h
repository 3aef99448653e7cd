#ifndef HYBRIDSERVE_WORKER_DEVICE_CUDA_NUMA_NODE_H_
#define HYBRIDSERVE_WORKER_DEVICE_CUDA_NUMA_NODE_H_

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
// `node`, as far as there is room; without a node nothing changes. What the
// kernel refuses is logged and else of no consequence. Of one thread, not
// nested.
class PreferredNumaNode {
 public:
  explicit PreferredNumaNode(std::optional<int> node);
  PreferredNumaNode(const PreferredNumaNode&) = delete;
  PreferredNumaNode& operator=(const PreferredNumaNode&) = delete;
  ~PreferredNumaNode();

 private:
  bool set_ = false;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_CUDA_NUMA_NODE_H_
