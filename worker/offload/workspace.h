#ifndef HYBRIDSERVE_WORKER_OFFLOAD_WORKSPACE_H_
#define HYBRIDSERVE_WORKER_OFFLOAD_WORKSPACE_H_

#include <array>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/model_config.h"
#include "kernels/device/buffer.h"
#include "kernels/device/device.h"
#include "kernels/device/tensor_view.h"
#include "worker/model/weight_plan.h"
#include "worker/offload/workspace_sizes.h"

namespace hybridserve {

// The buffers that a step computes in, and those through which its inputs and
// outputs pass. Device buffers serve every step in turn; host buffers come in
// pairs, so that one step's results are read while the next one runs.
// Thread-compatible.
class Workspace {
 public:
  // `config` and `weights` are borrowed.
  static absl::StatusOr<std::unique_ptr<Workspace>> Create(
      Device& device, const ModelConfig& config, const WeightPlan& weights,
      const StepShape& shape);

  // The first `rows` rows of each (workspace_sizes.h gives the shapes). Of
  // hidden and token rows, recomputed ones come after the step's own.
  TensorView Hidden(int64_t rows) const;
  TensorView TokenRows(int64_t rows) const;
  TensorView Mixed(int64_t rows, int64_t cols) const;
  TensorView Wide(int64_t rows, int64_t cols) const;
  TensorView Logits(int64_t rows) const;
  TensorView ScoreLogits(int64_t rows, int64_t cols) const;
  TensorView ScoreState(int64_t rows) const;
  TensorView Tokens(int64_t rows) const;
  TensorView LogProbs(int64_t rows) const;
  TensorView TopTokens(int64_t rows) const;
  TensorView TopLogProbs(int64_t rows) const;
  int64_t score_rows() const { return sizes_.score_rows; }

  // Host memory of the steps of one parity: hidden rows, then token rows.
  BufferView HostHidden(int parity, int64_t rows) const;
  BufferView HostTokenRows(int parity, int64_t rows) const;
  // Tokens, log-probs, score state, the likeliest ids and theirs.
  BufferView HostTokens(int parity, int64_t rows) const;
  BufferView HostLogProbs(int parity, int64_t rows) const;
  BufferView HostScoreState(int parity, int64_t rows) const;
  BufferView HostTopTokens(int parity, int64_t rows) const;
  BufferView HostTopLogProbs(int parity, int64_t rows) const;

 private:
  Workspace(const ModelConfig& config, const WeightPlan& weights,
            const WorkspaceSizes& sizes)
      : config_(config), weights_(weights), sizes_(sizes) {}

  const ModelConfig& config_;
  const WeightPlan& weights_;
  const WorkspaceSizes sizes_;
  std::unique_ptr<Buffer> hidden_;
  std::unique_ptr<Buffer> token_rows_;
  std::unique_ptr<Buffer> mixed_;
  std::unique_ptr<Buffer> wide_;
  std::unique_ptr<Buffer> logits_;
  std::unique_ptr<Buffer> score_logits_;
  std::unique_ptr<Buffer> score_state_;
  std::unique_ptr<Buffer> tokens_;
  std::unique_ptr<Buffer> log_probs_;
  std::unique_ptr<Buffer> top_tokens_;
  std::unique_ptr<Buffer> top_log_probs_;
  std::array<std::unique_ptr<Buffer>, 2> host_in_;
  std::array<std::unique_ptr<Buffer>, 2> host_out_;
};

// A host view's bytes as elements of T.
template <typename T>
absl::Span<T> HostSpan(const BufferView& view) {
  return absl::MakeSpan(
      reinterpret_cast<T*>(view.buffer->host_bytes().data() + view.offset),
      view.size / sizeof(T));
}

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_OFFLOAD_WORKSPACE_H_
