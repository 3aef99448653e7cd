#ifndef HYBRIDSERVE_WORKER_DEVICE_CUDA_OPS_BACKENDS_H_
#define HYBRIDSERVE_WORKER_DEVICE_CUDA_OPS_BACKENDS_H_

#include <functional>
#include <memory>
#include <vector>

#include "common/dtype.h"
#include "kernels/device/device.h"
#include "kernels/testing/ops_conformance.h"

namespace hybridserve {

// What OpsConformance demands of cuda devices, emulated or not. cuBLAS adds by
// the shape, so that only the batch invariant one promises anything of rows.
inline std::vector<OpsBackend> CudaOpsBackends(
    const std::function<std::unique_ptr<Device>(bool batch_invariant)>& make) {
  const auto backend = [&](const char* name, bool batch_invariant) {
    return OpsBackend{
        .name = name,
        .make_device = [=](int /*threads*/) { return make(batch_invariant); },
        .dtypes = {DType::kFloat32, DType::kBFloat16, DType::kFloat16},
        .rows_are_independent = batch_invariant,
        .columns_are_independent = false,
        .only = batch_invariant ? "Linear" : ""};
  };
  return {backend("cuda", false), backend("batch_invariant", true)};
}

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_CUDA_OPS_BACKENDS_H_
