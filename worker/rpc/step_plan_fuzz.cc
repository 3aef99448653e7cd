#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "common/cache/block_ref.h"
#include "common/cache/table_hash.h"
#include "common/step_plan.h"
#include "common/wire/step_plan_wire.h"
#include "glog/logging.h"
#include "google/protobuf/io/coded_stream.h"
#include "hybridserve/worker/v1/fence.pb.h"
#include "hybridserve/worker/v1/step_plan.pb.h"
#include "hybridserve/worker/v1/worker_link_service.pb.h"
#include "worker/offload/plan_validator.h"
#include "worker/offload/step_layout.h"
#include "worker/offload/step_limits.h"

namespace hybridserve {
namespace {

constexpr StepLimits kLimits = {.max_step_tokens = 64,
                                .max_logit_rows = 4,
                                .staging_half_slots = 12,
                                .host_half_slots = 20,
                                .device_half_slots = 6,
                                .block_tokens = 16,
                                .vocab_size = 100,
                                .max_positions = 80};

// A sequence's table after the plan's releases and updates.
std::vector<BlockRef> Updated(PlanValidator& validator, const StepPlan& plan,
                              SequenceId id) {
  std::vector<BlockRef> blocks;
  const SequenceState* state = validator.table().Find(id);
  const bool is_gone = std::find(plan.released.begin(), plan.released.end(),
                                 id) != plan.released.end();
  if (state != nullptr && !is_gone) blocks = state->blocks;
  for (const TableUpdate& update : plan.table_updates) {
    if (update.sequence != id) continue;
    blocks.resize(
        std::min(blocks.size(), static_cast<size_t>(update.first_block)));
    blocks.insert(blocks.end(), update.blocks.begin(), update.blocks.end());
  }
  return blocks;
}

// No input guesses a hash: 0 stands for the right one.
void FillHashes(PlanValidator& validator, StepPlan& plan) {
  for (TableUpdate& update : plan.table_updates) {
    if (update.table_hash != 0) continue;
    update.table_hash =
        BlockTableHash(Updated(validator, plan, update.sequence));
  }
  for (TableConversion& conversion : plan.conversions) {
    if (conversion.table_hash != 0) continue;
    std::vector<BlockRef> blocks =
        Updated(validator, plan, conversion.sequence);
    for (const BlockConversion& block : conversion.blocks) {
      if (static_cast<size_t>(block.block) >= blocks.size()) continue;
      blocks[block.block] = block.to;
    }
    conversion.table_hash = BlockTableHash(blocks);
  }
}

void CheckBlock(const BlockRef& block) {
  const int32_t half_slots = block.tier == Tier::kHost
                                 ? kLimits.host_half_slots
                                 : kLimits.device_half_slots;
  CHECK(block.first.value() >= 0 && block.first.value() < half_slots);
  CHECK(block.second.value() >= 0 && block.second.value() < half_slots);
}

// What the engine relies on: rows, blocks and areas inside its buffers.
void CheckLayout(const StepLayout& layout) {
  CHECK_LE(layout.num_rows(), kLimits.max_step_tokens);
  CHECK_LE(layout.samples.size(), size_t{kLimits.max_logit_rows});
  int32_t rows = 0;
  for (const MiniBatchLayout& mini_batch : layout.mini_batches) {
    CHECK_EQ(mini_batch.first_row, rows);
    rows += mini_batch.num_rows;
    CHECK_LE(mini_batch.staged_half_slots(), kLimits.staging_half_slots);
    for (const SequenceLayout& sequence : mini_batch.sequences) {
      CHECK_LE(sequence.first_row + sequence.num_rows, mini_batch.num_rows);
      for (const BlockUse& use : sequence.blocks) {
        CheckBlock(use.block);
        CHECK_LT(use.staging_index, mini_batch.num_staged_blocks());
        CHECK(use.num_rows > 0 && use.num_rows <= kLimits.block_tokens);
      }
    }
    for (const ConvertedBlock& block : mini_batch.converted) {
      CHECK(block.staging_index >= 0 &&
            block.staging_index < mini_batch.num_act_blocks);
      CheckBlock(block.to);
    }
  }
  CHECK_EQ(rows, layout.num_rows());
  int32_t written = 0;
  for (const WriteRun& run : layout.writes) {
    CheckBlock(run.block);
    CHECK(run.num_rows > 0 &&
          run.first_row_in_block + run.num_rows <= kLimits.block_tokens);
    CHECK_LE(run.first_row + run.num_rows, layout.num_rows());
    written += run.num_rows;
  }
  CHECK_LE(written, layout.num_rows());  // TOKENS rows are not.
  for (const InputRow& input : layout.inputs) {
    CHECK(input.token >= -1 && input.token < kLimits.vocab_size);
    CHECK(input.position >= 0 && input.position < kLimits.max_positions);
  }
}

void RunPlan(const worker::v1::ConnectResponse& message,
             PlanValidator& validator) {
  absl::StatusOr<StepPlan> plan =
      StepPlanFromWire(FenceFromWire(message.fence()), message.step_plan());
  if (!plan.ok()) return;
  FillHashes(validator, *plan);
  const size_t before = validator.table().size();
  const absl::StatusOr<StepLayout> layout = validator.Accept(*plan);
  if (layout.ok()) {
    CheckLayout(*layout);
  } else {
    CHECK_EQ(validator.table().size(), before);
  }
}

}  // namespace
}  // namespace hybridserve

// The input is what a scheduler sends over one connection: ConnectResponses,
// each after its size as a varint. Whatever they are, the worker refuses each
// plan, unchanged, or gets a layout that its buffers hold.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  google::protobuf::io::CodedInputStream input(data, static_cast<int>(size));
  hybridserve::PlanValidator validator(hybridserve::kLimits);
  uint32_t bytes = 0;
  while (input.ReadVarint32(&bytes)) {
    const auto limit = input.PushLimit(static_cast<int>(bytes));
    hybridserve::worker::v1::ConnectResponse message;
    if (!message.MergeFromCodedStream(&input)) return 0;
    if (input.BytesUntilLimit() != 0) return 0;
    input.PopLimit(limit);
    hybridserve::RunPlan(message, validator);
  }
  return 0;
}
