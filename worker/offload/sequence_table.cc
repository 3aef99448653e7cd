#include "worker/offload/sequence_table.h"

#include <algorithm>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "common/cache/table_hash.h"
#include "common/status_macros.h"
#include "glog/logging.h"

// An update replaces a table's tail. All tails of a plan are cut before any new
// block is added, so that a half-slot may move from one sequence to another
// within one plan whatever the order of its updates. Rolling back restores the
// remembered states and recomputes which half-slots are used, which is linear
// in the pool but happens only for a malformed plan.

namespace hybridserve {
namespace {

std::string Describe(SequenceId id) {
  return absl::StrCat("sequence ", id.value());
}

}  // namespace

int32_t SequenceState::num_token_positions(int32_t block_tokens) const {
  const auto end = std::find_if(
      blocks.begin(), blocks.end(),
      [](const BlockRef& block) { return block.kind != CacheKind::kTokens; });
  return static_cast<int32_t>(end - blocks.begin()) * block_tokens;
}

SequenceTable::SequenceTable(const StepLimits& limits)
    : limits_(limits),
      host_used_(limits.host_half_slots, false),
      device_used_(limits.device_half_slots, false) {}

absl::Status SequenceTable::Apply(const StepPlan& plan) {
  before_.clear();
  absl::Status status = TryApply(plan);
  if (!status.ok()) Rollback();
  return status;
}

absl::Status SequenceTable::TryApply(const StepPlan& plan) {
  for (const SequenceId id : plan.released) RETURN_IF_ERROR(Release(id));
  absl::flat_hash_set<SequenceId> updated;
  for (const TableUpdate& update : plan.table_updates) {
    if (!updated.insert(update.sequence).second) {
      return absl::InvalidArgumentError(absl::StrCat(
          "table_updates: ", Describe(update.sequence), " appears twice"));
    }
    RETURN_IF_ERROR(Truncate(update));
  }
  for (const TableUpdate& update : plan.table_updates) {
    RETURN_IF_ERROR(Append(update));
  }
  return absl::OkStatus();
}

absl::Status SequenceTable::Release(SequenceId id) {
  const auto it = sequences_.find(id);
  if (it == sequences_.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("released: ", Describe(id), " is unknown"));
  }
  Remember(id);
  for (const BlockRef& block : it->second.blocks) SetUsed(block, false);
  sequences_.erase(it);
  return absl::OkStatus();
}

absl::Status SequenceTable::Truncate(const TableUpdate& update) {
  const auto it = sequences_.find(update.sequence);
  const size_t num_blocks =
      it == sequences_.end() ? 0 : it->second.blocks.size();
  if (update.first_block < 0 ||
      static_cast<size_t>(update.first_block) > num_blocks) {
    return absl::InvalidArgumentError(absl::StrCat(
        "table_updates: first_block ", update.first_block, " of ",
        Describe(update.sequence), " which has ", num_blocks, " blocks"));
  }
  Remember(update.sequence);
  SequenceState& state = sequences_[update.sequence];
  // Blocks sent again as they are keep their contents.
  size_t same = update.first_block;
  for (const BlockRef& block : update.blocks) {
    if (same == num_blocks || state.blocks[same] != block) break;
    ++same;
  }
  if (same < num_blocks) {
    state.num_written = static_cast<int32_t>(
        std::min(int64_t{state.num_written},
                 static_cast<int64_t>(same) * limits_.block_tokens));
  }
  for (size_t i = update.first_block; i < num_blocks; ++i) {
    SetUsed(state.blocks[i], false);
  }
  state.blocks.resize(update.first_block);
  return absl::OkStatus();
}

absl::Status SequenceTable::Append(const TableUpdate& update) {
  SequenceState& state = sequences_[update.sequence];
  for (const BlockRef& block : update.blocks) {
    RETURN_IF_ERROR(Claim(update, block));
    if (block.kind == CacheKind::kTokens && !state.blocks.empty() &&
        state.blocks.back().kind != CacheKind::kTokens) {
      return absl::InvalidArgumentError(absl::StrCat(
          "table_updates: a TOKENS block of ", Describe(update.sequence),
          " after one of another kind"));
    }
    state.blocks.push_back(block);
  }
  const uint64_t hash = BlockTableHash(state.blocks);
  if (hash != update.table_hash) {
    return absl::FailedPreconditionError(absl::StrCat(
        "table_updates: table_hash ", update.table_hash, " of ",
        Describe(update.sequence), ", whose table here hashes to ", hash));
  }
  return absl::OkStatus();
}

absl::Status SequenceTable::CheckBlock(const BlockRef& block) const {
  if (block.kind != CacheKind::kKv && block.kind != CacheKind::kAct &&
      block.kind != CacheKind::kTokens) {
    return absl::InvalidArgumentError(
        absl::StrCat("no kind has the number ", static_cast<int>(block.kind)));
  }
  if (block.tier != Tier::kDevice && block.tier != Tier::kHost) {
    return absl::InvalidArgumentError(
        absl::StrCat("no tier has the number ", static_cast<int>(block.tier)));
  }
  if (block.kind == CacheKind::kAct && !limits_.act_pays) {
    return absl::InvalidArgumentError(
        "ACT blocks save nothing on this model and are not supported");
  }
  if (block.kind == CacheKind::kTokens) {
    if (block == BlockRef{.kind = CacheKind::kTokens}) return absl::OkStatus();
    return absl::InvalidArgumentError("a TOKENS block names half-slots");
  }
  const int32_t half_slots = block.tier == Tier::kHost
                                 ? limits_.host_half_slots
                                 : limits_.device_half_slots;
  const auto in_range = [half_slots](HalfSlot slot) {
    return slot.value() >= 0 && slot.value() < half_slots;
  };
  const bool second_fits = block.kind == CacheKind::kKv
                               ? in_range(block.second)
                               : block.second == HalfSlot(0);
  if (!in_range(block.first) || !second_fits) {
    return absl::InvalidArgumentError(
        absl::StrCat("half-slots ", block.first.value(), ", ",
                     block.second.value(), " in a pool of ", half_slots));
  }
  return absl::OkStatus();
}

absl::Status SequenceTable::Claim(const TableUpdate& update,
                                  const BlockRef& block) {
  const absl::Status status = CheckBlock(block);
  if (!status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("table_updates: a block of ",
                                                   Describe(update.sequence),
                                                   ": ", status.message()));
  }
  if (!IsFree(block)) {
    return absl::InvalidArgumentError(
        absl::StrCat("table_updates: half-slots ", block.first.value(), ", ",
                     block.second.value(), " of ", Describe(update.sequence),
                     " are in use already"));
  }
  SetUsed(block, true);
  return absl::OkStatus();
}

absl::Status SequenceTable::Convert(const StepPlan& plan) {
  if (plan.conversions.empty()) return absl::OkStatus();
  absl::flat_hash_map<SequenceId, int32_t> num_cached;
  for (const StepSequence& sequence : plan.sequences) {
    num_cached[sequence.sequence] = sequence.num_cached;
  }
  std::vector<BlockRef> left;  // Read by this step.
  for (const TableConversion& conversion : plan.conversions) {
    const auto cached = num_cached.find(conversion.sequence);
    if (cached == num_cached.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("conversions: ", Describe(conversion.sequence),
                       " does not run in the step, or is there twice"));
    }
    RETURN_IF_ERROR(ConvertBlocks(conversion, cached->second, left));
    num_cached.erase(cached);
  }
  for (const BlockRef& block : left) SetUsed(block, false);
  return absl::OkStatus();
}

absl::Status SequenceTable::ConvertBlocks(const TableConversion& conversion,
                                          int32_t num_cached,
                                          std::vector<BlockRef>& left) {
  SequenceState& state = *FindForUpdate(conversion.sequence);
  const auto refuse = [&conversion](const auto&... parts) {
    return absl::InvalidArgumentError(absl::StrCat(
        "conversions: ", parts..., ", of ", Describe(conversion.sequence)));
  };
  for (const BlockConversion& block : conversion.blocks) {
    if (block.block < 0 ||
        static_cast<size_t>(block.block) >= state.blocks.size()) {
      return refuse("block ", block.block, " of ", state.blocks.size());
    }
    BlockRef& converted = state.blocks[block.block];
    if (converted.kind != CacheKind::kAct) {
      return refuse("block ", block.block, " is not ACT");
    }
    if ((int64_t{block.block} + 1) * limits_.block_tokens > num_cached) {
      return refuse("block ", block.block, " is not whole with ", num_cached,
                    " positions cached");
    }
    if (block.to.kind != CacheKind::kKv) {
      return refuse("block ", block.block, " becomes something else than KV");
    }
    const absl::Status status = CheckBlock(block.to);
    if (!status.ok()) return refuse(status.message());
    if (!IsFree(block.to)) {
      return refuse("half-slots ", block.to.first.value(), ", ",
                    block.to.second.value(), " are in use already");
    }
    SetUsed(block.to, true);
    left.push_back(converted);
    converted = block.to;
  }
  const uint64_t hash = BlockTableHash(state.blocks);
  if (hash != conversion.table_hash) {
    return absl::FailedPreconditionError(absl::StrCat(
        "conversions: table_hash ", conversion.table_hash, " of ",
        Describe(conversion.sequence), ", whose table here hashes to ", hash));
  }
  return absl::OkStatus();
}

bool SequenceTable::IsFree(const BlockRef& block) const {
  if (block.kind == CacheKind::kTokens) return true;
  const std::vector<bool>& used = UsedOf(block.tier);
  if (used[block.first.value()]) return false;
  return block.kind != CacheKind::kKv ||
         (!used[block.second.value()] && block.first != block.second);
}

void SequenceTable::SetUsed(const BlockRef& block, bool used) {
  if (block.kind == CacheKind::kTokens) return;
  std::vector<bool>& slots = UsedOf(block.tier);
  slots[block.first.value()] = used;
  if (block.kind == CacheKind::kKv) slots[block.second.value()] = used;
}

std::vector<bool>& SequenceTable::UsedOf(Tier tier) {
  return tier == Tier::kHost ? host_used_ : device_used_;
}

const std::vector<bool>& SequenceTable::UsedOf(Tier tier) const {
  return tier == Tier::kHost ? host_used_ : device_used_;
}

void SequenceTable::Remember(SequenceId id) {
  if (before_.contains(id)) return;
  const auto it = sequences_.find(id);
  before_[id] = it == sequences_.end()
                    ? std::nullopt
                    : std::optional<SequenceState>(it->second);
}

void SequenceTable::Rollback() {
  for (auto& [id, state] : before_) {
    if (state.has_value()) {
      sequences_[id] = *std::move(state);
    } else {
      sequences_.erase(id);
    }
  }
  before_.clear();
  host_used_.assign(host_used_.size(), false);
  device_used_.assign(device_used_.size(), false);
  for (const auto& [id, state] : sequences_) {
    for (const BlockRef& block : state.blocks) SetUsed(block, true);
  }
}

const SequenceState* SequenceTable::Find(SequenceId id) const {
  const auto it = sequences_.find(id);
  return it == sequences_.end() ? nullptr : &it->second;
}

SequenceState* SequenceTable::FindForUpdate(SequenceId id) {
  const auto it = sequences_.find(id);
  if (it == sequences_.end()) return nullptr;
  Remember(id);
  return &it->second;
}

void SequenceTable::SetLastToken(SequenceId id, int32_t token) {
  const auto it = sequences_.find(id);
  if (it != sequences_.end()) it->second.last_token = token;
}

void SequenceTable::NoteTokens(const StepPlan& plan) {
  for (const SequenceId id : plan.released) tokens_.erase(id);
  for (const StepSequence& sequence : plan.sequences) {
    std::vector<int32_t>& tokens = tokens_[sequence.sequence];
    const size_t begin = sequence.num_cached;
    const size_t end = begin + sequence.num_new;
    if (tokens.size() < end) tokens.resize(end, -1);
    for (size_t i = begin; i < end; ++i) {
      tokens[i] =
          sequence.new_tokens.empty() ? -1 : sequence.new_tokens[i - begin];
    }
  }
}

void SequenceTable::SetToken(SequenceId id, int32_t position, int32_t token) {
  const auto it = tokens_.find(id);
  if (it == tokens_.end()) return;
  const auto index = static_cast<size_t>(position);
  if (index < it->second.size()) it->second[index] = token;
}

absl::Span<const int32_t> SequenceTable::Tokens(SequenceId id) const {
  const auto it = tokens_.find(id);
  if (it == tokens_.end()) return {};
  return it->second;
}

void SequenceTable::Clear() {
  sequences_.clear();
  tokens_.clear();
  before_.clear();
  host_used_.assign(host_used_.size(), false);
  device_used_.assign(device_used_.size(), false);
}

}  // namespace hybridserve
