#ifndef HYBRIDSERVE_WORKER_DEVICE_TENSOR_CHECKS_H_
#define HYBRIDSERVE_WORKER_DEVICE_TENSOR_CHECKS_H_

#include <cstdint>

#include "kernels/attention_pointers.h"
#include "kernels/device/tensor_view.h"
#include "kernels/layer_norm_pointers.h"
#include "kernels/ops.h"
#include "kernels/rotary_pointers.h"

namespace hybridserve {

// What backends share of taking ops' arguments: looking for callers' mistakes,
// which crash, and where the tensors are.

// Where a tensor begins; null for an empty one.
void* AddressOf(const TensorView& view);

template <typename T>
T* AddressAs(const TensorView& view) {
  return static_cast<T*>(AddressOf(view));
}

// Crashes unless `view` is [rows, cols] inside device memory.
void CheckShape(const char* name, const TensorView& view, int64_t rows,
                int64_t cols);
// The same for an optional [1, cols] of float32.
void CheckVector(const char* name, const TensorView& view, int64_t cols);

// An op's tensors as implementations take them.
LayerNormPointers PointersOf(const LayerNormArgs& args);
AttentionPointers PointersOf(const AttentionArgs& args);
// With no frequencies and positions yet.
RotaryPointers PointersOf(const RotaryArgs& args);

// Crash unless shapes and dtypes of an op's tensors fit together.
void CheckLinear(const LinearArgs& args, const WeightLayout& layout);
void CheckLayerNorm(const LayerNormArgs& args);
void CheckConvert(const ConvertArgs& args);
void CheckRotary(const RotaryArgs& args);
void CheckAttention(const AttentionArgs& args);
void CheckSample(const SampleArgs& args);
void CheckLogProb(const LogProbArgs& args);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_TENSOR_CHECKS_H_
