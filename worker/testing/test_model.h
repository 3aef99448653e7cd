#ifndef HYBRIDSERVE_WORKER_TESTING_TEST_MODEL_H_
#define HYBRIDSERVE_WORKER_TESTING_TEST_MODEL_H_

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/dtype.h"
#include "common/model_config.h"
#include "kernels/device/device.h"
#include "worker/model/host_weights.h"
#include "worker/model/weight_plan.h"

namespace hybridserve {

// A small model with weights drawn from a seed, in plain arrays: what the
// engine's tests and their reference share. Layer -1 holds the matrices and
// vectors outside the layers.
struct TestModel {
  using MatrixKey = std::pair<int64_t, LinearWeight>;
  using VectorKey = std::pair<int64_t, LayerVector>;

  ModelConfig config;
  // Row-major [n, k]; already rounded to `dtype`, so that packing loses
  // nothing.
  std::map<MatrixKey, std::vector<float>> matrices;
  std::map<VectorKey, std::vector<float>> vectors;  // Absent: none.
  std::vector<float> final_norm_gain;               // Empty: none.
  std::vector<float> final_norm_bias;
  std::vector<float> token_table;     // [vocab, word_embed_dim]
  std::vector<float> position_table;  // [position_rows, hidden]

  static TestModel Random(const ModelConfig& config, DType dtype,
                          uint32_t seed);

  // Packs the weights as `plan` lays them out.
  absl::StatusOr<HostWeights> Pack(Device& device,
                                   const WeightPlan& plan) const;
};

// Pre-norm, biased, relu; 3 layers, hidden 48, 3 heads, vocabulary 211,
// 96 positions.
ModelConfig SmallOptConfig();

// As Llama: root mean square norms, rotary positions, a gate, silu, no biases,
// a head of its own; the same sizes. ACT pays: every head has its own keys and
// values.
ModelConfig SmallLlamaConfig();

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_TESTING_TEST_MODEL_H_
