#include "worker/offload/workspace.h"

#include <algorithm>

#include "common/sampling_params.h"
#include "common/status_macros.h"

namespace hybridserve {
namespace {

TensorView Matrix(const std::unique_ptr<Buffer>& buffer, DType dtype,
                  int64_t rows, int64_t cols) {
  return MakeTensor({buffer.get(), 0, buffer->size()}, dtype, rows, cols);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Workspace>> Workspace::Create(
    Device& device, const ModelConfig& config, const WeightPlan& weights,
    const StepShape& shape) {
  const WorkspaceSizes sizes = MakeWorkspaceSizes(config, weights, shape);
  std::unique_ptr<Workspace> space(new Workspace(config, weights, sizes));
  const auto allocate = [&](MemorySpace memory, int64_t bytes,
                            std::unique_ptr<Buffer>& buffer) -> absl::Status {
    if (bytes == 0) return absl::OkStatus();
    ASSIGN_OR_RETURN(buffer, device.Allocate(memory, bytes));
    return absl::OkStatus();
  };
  const MemorySpace on_device = MemorySpace::kDevice;
  RETURN_IF_ERROR(allocate(on_device, sizes.hidden, space->hidden_));
  RETURN_IF_ERROR(allocate(on_device, sizes.token_rows, space->token_rows_));
  RETURN_IF_ERROR(allocate(on_device, sizes.mixed, space->mixed_));
  RETURN_IF_ERROR(allocate(on_device, sizes.wide, space->wide_));
  RETURN_IF_ERROR(allocate(on_device, sizes.logits, space->logits_));
  RETURN_IF_ERROR(
      allocate(on_device, sizes.score_logits, space->score_logits_));
  RETURN_IF_ERROR(allocate(on_device, sizes.score_state, space->score_state_));
  RETURN_IF_ERROR(allocate(on_device, sizes.tokens, space->tokens_));
  RETURN_IF_ERROR(allocate(on_device, sizes.log_probs, space->log_probs_));
  RETURN_IF_ERROR(allocate(on_device, sizes.top_tokens, space->top_tokens_));
  RETURN_IF_ERROR(
      allocate(on_device, sizes.top_log_probs, space->top_log_probs_));
  for (int parity = 0; parity < 2; ++parity) {
    RETURN_IF_ERROR(allocate(MemorySpace::kHost, sizes.host_inputs(),
                             space->host_in_[parity]));
    RETURN_IF_ERROR(allocate(MemorySpace::kHost, sizes.host_outputs(),
                             space->host_out_[parity]));
  }
  return space;
}

TensorView Workspace::Hidden(int64_t rows) const {
  return Matrix(hidden_, DType::kFloat32, rows, config_.hidden);
}
TensorView Workspace::TokenRows(int64_t rows) const {
  return Matrix(token_rows_, weights_.dtype, rows, config_.word_embed_dim);
}
TensorView Workspace::Mixed(int64_t rows, int64_t cols) const {
  return Matrix(mixed_, weights_.dtype, rows, cols);
}
TensorView Workspace::Wide(int64_t rows, int64_t cols) const {
  return Matrix(wide_, weights_.dtype, rows, cols);
}
TensorView Workspace::Logits(int64_t rows) const {
  return Matrix(logits_, DType::kFloat32, rows, config_.vocab_size);
}
TensorView Workspace::ScoreLogits(int64_t rows, int64_t cols) const {
  return Matrix(score_logits_, DType::kFloat32, rows, cols);
}
TensorView Workspace::ScoreState(int64_t rows) const {
  return Matrix(score_state_, DType::kFloat32, rows, 4);
}
TensorView Workspace::Tokens(int64_t rows) const {
  return Matrix(tokens_, DType::kInt32, rows, 1);
}
TensorView Workspace::LogProbs(int64_t rows) const {
  return Matrix(log_probs_, DType::kFloat32, rows, 1);
}
TensorView Workspace::TopTokens(int64_t rows) const {
  return Matrix(top_tokens_, DType::kInt32, rows, kMaxTopLogProbs);
}
TensorView Workspace::TopLogProbs(int64_t rows) const {
  return Matrix(top_log_probs_, DType::kFloat32, rows, kMaxTopLogProbs);
}

BufferView Workspace::HostHidden(int parity, int64_t rows) const {
  return {host_in_[parity].get(), 0, rows * config_.hidden * 4};
}
BufferView Workspace::HostTokenRows(int parity, int64_t rows) const {
  return {host_in_[parity].get(), sizes_.hidden,
          rows * config_.word_embed_dim * SizeOf(weights_.dtype)};
}
BufferView Workspace::HostTokens(int parity, int64_t rows) const {
  return {host_out_[parity].get(), 0, rows * 4};
}
BufferView Workspace::HostLogProbs(int parity, int64_t rows) const {
  return {host_out_[parity].get(), sizes_.tokens, rows * 4};
}
BufferView Workspace::HostScoreState(int parity, int64_t rows) const {
  return {host_out_[parity].get(), sizes_.tokens + sizes_.log_probs,
          rows * 4 * 4};
}
BufferView Workspace::HostTopTokens(int parity, int64_t rows) const {
  return {host_out_[parity].get(),
          sizes_.tokens + sizes_.log_probs + sizes_.score_state,
          rows * kMaxTopLogProbs * 4};
}
BufferView Workspace::HostTopLogProbs(int parity, int64_t rows) const {
  BufferView view = HostTopTokens(parity, rows);
  view.offset += sizes_.top_tokens;
  return view;
}

}  // namespace hybridserve
