#ifndef HYBRIDSERVE_WORKER_DEVICE_TESTING_DEVICE_CONFORMANCE_H_
#define HYBRIDSERVE_WORKER_DEVICE_TESTING_DEVICE_CONFORMANCE_H_

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "gtest/gtest.h"
#include "kernels/device/device.h"

namespace hybridserve {

// A device that the suite in device_conformance.cc runs on: link that and
// instantiate DeviceConformance.
struct DeviceUnderTest {
  std::string name;
  std::function<std::unique_ptr<Device>()> make;
};

inline void PrintTo(const DeviceUnderTest& device, std::ostream* os) {
  *os << device.name;
}

class DeviceConformance : public ::testing::TestWithParam<DeviceUnderTest> {
 protected:
  DeviceConformance() : device_(GetParam().make()) {}

  Device& device() { return *device_; }
  // A buffer that must fit.
  std::unique_ptr<Buffer> Allocate(MemorySpace space, int64_t bytes);
  // Host memory that holds `bytes` bytes of `fill`.
  std::unique_ptr<Buffer> Filled(int64_t bytes, char fill);

 private:
  std::unique_ptr<Device> device_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_TESTING_DEVICE_CONFORMANCE_H_
