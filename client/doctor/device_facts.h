#ifndef HYBRIDSERVE_CLIENT_DOCTOR_DEVICE_FACTS_H_
#define HYBRIDSERVE_CLIENT_DOCTOR_DEVICE_FACTS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "kernels/device/device.h"

namespace hybridserve {

// How this machine's cores multiply.
struct CpuPath {
  struct Product {
    std::string dtype;
    std::string kernel;   // "own", or oneDNN's name of its kernel.
    std::string refusal;  // Why it isn't oneDNN's; empty: it is.
  };
  std::string isa;  // "avx2", "avx3", "scalar".
  std::vector<Product> products;
};

// Probes oneDNN: some tens of milliseconds.
CpuPath ReadCpuPath();

// What there is of CUDA, from the driver up.
struct CudaFacts {
  // What the driver's library says; OK: it was opened and found devices.
  absl::Status driver;
  int devices = 0;
  std::string driver_cuda_version;  // "13.0": the newest that it can run.
  std::string cublas;               // The library found; empty: none.
  // What comes of opening the first device as a worker does: a copy there and
  // back included.
  absl::Status device;
  std::string device_description;  // If that is OK.
};

// Opens the libraries and the device, for seconds where there is one.
CudaFacts ReadCudaFacts();

// Copies between the two memories of a device, alone.
struct LinkFacts {
  std::string name;     // "host memory", "cuda:0, NVIDIA ..."
  absl::Status status;  // DataLoss: what came back was not what was sent.
  double to_device_bytes_per_s = 0;
  double from_device_bytes_per_s = 0;
};

// Sends a pattern there and back, some times, and takes the fastest.
LinkFacts MeasureLink(const std::string& name, Device& device);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_DOCTOR_DEVICE_FACTS_H_
