#ifndef HYBRIDSERVE_WORKER_OFFLOAD_SEQUENCE_TABLE_H_
#define HYBRIDSERVE_WORKER_OFFLOAD_SEQUENCE_TABLE_H_

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/cache/block_ref.h"
#include "common/ids.h"
#include "common/step_plan.h"
#include "worker/offload/step_limits.h"

namespace hybridserve {

// What a worker knows of one sequence.
struct SequenceState {
  std::vector<BlockRef> blocks;
  // Positions [0, num_written) are in the cache, or will be once the steps that
  // were issued have run.
  int32_t num_written = 0;
  // Whether its last step samples a token, and which, once known (else -1).
  bool sampled = false;
  int32_t last_token = -1;

  // Positions that TOKENS blocks cover: the table's first ones.
  int32_t num_token_positions(int32_t block_tokens) const;
};

// The block tables of all live sequences. A half-slot belongs to at most one
// block of one sequence.
//
// Changes come as plans, all or nothing: Apply(), then, if the rest of the plan
// turns out wrong, Rollback(). Thread-compatible.
class SequenceTable {
 public:
  explicit SequenceTable(const StepLimits& limits);

  // Releases and updates as `plan` says. On an error nothing has changed:
  // InvalidArgument for what no worker could do, FailedPrecondition if a
  // table's hash is not the plan's.
  absl::Status Apply(const StepPlan& plan);
  // Turns blocks into KV as `plan`, which was applied and names its sequences
  // once, says: what comes after the step. InvalidArgument, naming the
  // sequence, for a block that isn't whole ACT in the step or a place that
  // isn't free in it, FailedPrecondition as above; then Rollback() is due.
  absl::Status Convert(const StepPlan& plan);
  // Undoes the last Apply() and every change made since.
  void Rollback();

  // Null if unknown. Valid until the next Apply(), Rollback() or Clear().
  const SequenceState* Find(SequenceId id) const;
  // As above, for a change that Rollback() undoes.
  SequenceState* FindForUpdate(SequenceId id);
  // Notes what a sequence sampled; nothing if it is gone. Not rolled back.
  void SetLastToken(SequenceId id, int32_t token);

  // Notes the ids that a plan's sequences run, and forgets those of released
  // ones. Not rolled back: for plans that are accepted as a whole.
  void NoteTokens(const StepPlan& plan);
  // Notes the id that a sequence ran at `position`, which NoteTokens() did not
  // know; nothing if it is gone.
  void SetToken(SequenceId id, int32_t position, int32_t token);
  // Ids of a sequence's positions as far as they have run, for TOKENS blocks
  // and penalties; -1: not known yet. Valid until the next NoteTokens() or
  // Clear().
  absl::Span<const int32_t> Tokens(SequenceId id) const;

  void Clear();
  size_t size() const { return sequences_.size(); }

 private:
  absl::Status TryApply(const StepPlan& plan);
  absl::Status Release(SequenceId id);
  // Frees the half-slots that an update replaces.
  absl::Status Truncate(const TableUpdate& update);
  // Takes the new ones.
  absl::Status Append(const TableUpdate& update);
  absl::Status CheckBlock(const BlockRef& block) const;
  absl::Status Claim(const TableUpdate& update, const BlockRef& block);
  // Whether the block's half-slots are no block's, nor each other.
  bool IsFree(const BlockRef& block) const;
  // One sequence's; appends what is free after the step to `left`.
  absl::Status ConvertBlocks(const TableConversion& conversion,
                             int32_t num_cached, std::vector<BlockRef>& left);
  void SetUsed(const BlockRef& block, bool used);
  std::vector<bool>& UsedOf(Tier tier);
  const std::vector<bool>& UsedOf(Tier tier) const;
  // Keeps a sequence's state for Rollback().
  void Remember(SequenceId id);

  const StepLimits limits_;
  absl::flat_hash_map<SequenceId, SequenceState> sequences_;
  // Apart: Rollback() need not copy them, step for step.
  absl::flat_hash_map<SequenceId, std::vector<int32_t>> tokens_;
  std::vector<bool> host_used_;  // Indexed by half-slot.
  std::vector<bool> device_used_;
  // States before the last Apply(); none: the sequence did not exist.
  absl::flat_hash_map<SequenceId, std::optional<SequenceState>> before_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_OFFLOAD_SEQUENCE_TABLE_H_
