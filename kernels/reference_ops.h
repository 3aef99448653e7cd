#ifndef HYBRIDSERVE_KERNELS_REFERENCE_OPS_H_
#define HYBRIDSERVE_KERNELS_REFERENCE_OPS_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "common/sampling_params.h"
#include "kernels/activation.h"
#include "kernels/logit_change.h"
#include "kernels/matrix.h"

namespace hybridserve {

// The definitions of the ops in kernels/ops.h: obvious, in double, one file
// each (*_reference.cc). Every backend is tested against these.

// act(x W^T + bias): x [m, k], weight [n, k], bias [1, n] or empty.
Matrix LinearReference(const Matrix& x, const Matrix& weight,
                       const Matrix& bias, Activation activation);

// (x - mean) / sqrt(variance + epsilon) * gain + bias for each row; gain and
// bias [1, width] or empty (1 and 0). Without `center` the mean is 0.
Matrix LayerNormReference(const Matrix& x, const Matrix& gain,
                          const Matrix& bias, double epsilon,
                          bool center = true);

// x with each head's pairs turned by position * frequency, a float32 product.
// As many frequencies as head_dim / 2, as many positions as rows; -1: as it is.
Matrix RotaryReference(const Matrix& x, absl::Span<const float> frequencies,
                       absl::Span<const int32_t> positions);

struct AttentionReferenceArgs {
  Matrix q;  // [new positions, num_heads * head_dim]
  Matrix k;  // [all positions, num_kv_heads * head_dim]
  Matrix v;  // Same.
  int64_t num_heads = 0;
  int64_t num_kv_heads = 0;
  double scale = 1;
};
// Causal attention of one sequence: the rows of q are its last positions.
Matrix AttentionReference(const AttentionReferenceArgs& args);

// Log-softmax of a row.
std::vector<double> LogProbReference(absl::Span<const float> logits);

// The logits after `changes`: SampleRow in kernels/ops.h.
std::vector<float> LogitChangeReference(absl::Span<const float> logits,
                                        absl::Span<const LogitChange> changes,
                                        double repetition_penalty);

// The probability of each token under `params` with temperature > 0.
std::vector<double> SampleReference(absl::Span<const float> logits,
                                    const SamplingParams& params);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_REFERENCE_OPS_H_
