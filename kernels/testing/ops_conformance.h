#ifndef HYBRIDSERVE_KERNELS_TESTING_OPS_CONFORMANCE_H_
#define HYBRIDSERVE_KERNELS_TESTING_OPS_CONFORMANCE_H_

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "common/dtype.h"
#include "gtest/gtest.h"
#include "kernels/device/device.h"

namespace hybridserve {

// A backend that the suite in ops_*_conformance.cc runs on: link those and
// instantiate OpsConformance.
struct OpsBackend {
  std::string name;
  // A new device whose ops use `threads` threads (if that means anything).
  std::function<std::unique_ptr<Device>(int threads)> make_device;
  // Compute dtypes to test.
  std::vector<DType> dtypes;
  // The contract of linear layers that it keeps (kernels/ops.h): bits of a row
  // do not depend on other rows, of a column on other columns.
  bool rows_are_independent = true;
  bool columns_are_independent = true;
  // Only tests whose names begin so, where the others are another backend's.
  std::string only = "";
};

inline void PrintTo(const OpsBackend& backend, std::ostream* os) {
  *os << backend.name;
}

class OpsConformance : public ::testing::TestWithParam<OpsBackend> {
 protected:
  void SetUp() override {
    const ::testing::TestInfo* const test =
        ::testing::UnitTest::GetInstance()->current_test_info();
    if (std::string(test->name()).rfind(GetParam().only, 0) != 0) {
      GTEST_SKIP() << "not different for this backend";
    }
    device_ = GetParam().make_device(1);
  }

  Device& device() { return *device_; }
  const std::vector<DType>& dtypes() const { return GetParam().dtypes; }

 private:
  std::unique_ptr<Device> device_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_TESTING_OPS_CONFORMANCE_H_
