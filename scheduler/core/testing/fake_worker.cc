#include "scheduler/core/testing/fake_worker.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/cache/table_hash.h"
#include "common/model_config_json.h"
#include "gtest/gtest.h"
#include "scheduler/policy/mini_batch_packer.h"

namespace hybridserve {
namespace {

uint64_t Mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9E3779B97F4A7C15ULL;
  return hash ^ (hash >> 29);
}

uint64_t HashOf(absl::Span<const int32_t> tokens,
                const NumericsClass& numerics) {
  uint64_t hash = Mix(1, tokens.size());
  for (const char c : numerics.build_id) hash = Mix(hash, c);
  for (const int32_t token : tokens) hash = Mix(hash, token);
  return hash;
}

std::string ConfigJson(const FakeWorkerOptions& options) {
  return absl::StrCat(
      R"({"model_type":"opt","hidden_size":8,"num_hidden_layers":2,)",
      R"("num_attention_heads":2,"ffn_dim":32,"vocab_size":)",
      options.vocab_size, R"(,"max_position_embeddings":)",
      options.max_positions, "}");
}

}  // namespace

int32_t FakeToken(absl::Span<const int32_t> tokens, uint64_t seed,
                  const NumericsClass& numerics, int64_t vocab_size) {
  return static_cast<int32_t>(Mix(HashOf(tokens, numerics), seed) % vocab_size);
}

float FakeLogProb(absl::Span<const int32_t> tokens, int32_t token,
                  const NumericsClass& numerics) {
  return -static_cast<float>(Mix(HashOf(tokens, numerics), token) % 1000);
}

TokenScore FakeScore(absl::Span<const int32_t> tokens, int32_t token,
                     const NumericsClass& numerics) {
  const int32_t top = token / 2;  // Of the vocabulary.
  return {.log_prob = FakeLogProb(tokens, token, numerics),
          .top_token = top,
          .top_log_prob = FakeLogProb(tokens, top, numerics)};
}

WorkerInfo FakeWorkerInfo(const FakeWorkerOptions& options) {
  WorkerInfo info;
  info.name = options.name;
  info.epoch = options.epoch;
  info.model_name = options.model_name;
  info.files.config_json = ConfigJson(options);
  info.numerics = {.weights_hash = options.weights_hash,
                   .backend = "fake",
                   .isa = "none",
                   .block_tokens = options.block_tokens,
                   .build_id = options.build_id};
  info.device = "no device";
  info.pools = {
      {.tier = Tier::kDevice, .half_slots = options.device_half_slots},
      {.tier = Tier::kHost, .half_slots = options.host_half_slots}};
  info.staging_half_slots = options.staging_half_slots;
  info.max_step_tokens = options.max_step_tokens;
  info.max_logit_rows = options.max_logit_rows;
  info.max_recomputed_tokens = options.max_recomputed_tokens;
  info.layer_bytes = info.streamed_layer_bytes = 4'000;
  info.profile = {.link_bytes_per_second = 1e6,
                  .copy_out_bytes_per_second = 1e6,
                  .gemm_flops_per_second = options.gemm_flops_per_second};
  return info;
}

class FakeWorker::Link final : public WorkerLink {
 public:
  explicit Link(std::shared_ptr<Connection> connection)
      : connection_(std::move(connection)) {}
  ~Link() override { connection_->open = false; }

  void Send(StepPlan plan) override {
    if (connection_->worker == nullptr) return;
    connection_->last_plan = plan;
    ++connection_->num_plans;
    connection_->worker->Check(plan);
    connection_->outstanding.push_back(std::move(plan));
    EXPECT_LE(connection_->outstanding.size(), 2U) << "plans outstanding";
  }

 private:
  const std::shared_ptr<Connection> connection_;
};

FakeWorker::FakeWorker(WorkerInfo info, int64_t prefill_chunk_tokens)
    : info_(std::move(info)),
      prefill_chunk_tokens_(prefill_chunk_tokens),
      vocab_size_(ParseModelConfig(info_.files.config_json)->vocab_size),
      max_positions_(ParseModelConfig(info_.files.config_json)->max_positions),
      connection_(std::make_shared<Connection>()) {
  connection_->worker = this;
}

FakeWorker::~FakeWorker() { connection_->worker = nullptr; }

std::unique_ptr<WorkerLink> FakeWorker::MakeLink() {
  return std::make_unique<Link>(connection_);
}

int64_t FakeWorker::num_sequences() const {
  return static_cast<int64_t>(sequences_.size());
}

int64_t FakeWorker::num_used_half_slots() const {
  return static_cast<int64_t>(used_.size());
}

void FakeWorker::Check(const StepPlan& plan) {
  SCOPED_TRACE(absl::StrCat("plan of step ", plan.fence.step));
  EXPECT_TRUE(connection_->open);
  if (plan.fence.step == 1) term_ = plan.fence.term;
  EXPECT_EQ(plan.fence.term, term_);
  EXPECT_EQ(plan.fence.epoch, info_.epoch);
  EXPECT_EQ(static_cast<int64_t>(plan.fence.step), connection_->num_plans);
  EXPECT_FALSE(plan.released.empty() && plan.sequences.empty())
      << "an empty plan";
  std::set<Slot> released;
  CheckReleases(plan, released);
  CheckTables(plan, released);
  std::set<SequenceId> seen;
  for (const StepSequence& step : plan.sequences) {
    EXPECT_TRUE(seen.insert(step.sequence).second) << step.sequence;
    CheckSequence(step);
  }
  CheckLimits(plan);
  CheckMiniBatches(plan);
  CheckConversions(plan, released);
}

void FakeWorker::CheckReleases(const StepPlan& plan, std::set<Slot>& released) {
  for (const SequenceId id : plan.released) {
    const auto it = sequences_.find(id);
    if (it == sequences_.end()) {
      ADD_FAILURE() << "release of unknown sequence " << id;
      continue;
    }
    for (const BlockRef& block : it->second.table) {
      if (block.kind == CacheKind::kTokens) continue;
      released.insert({block.tier, block.first});
      if (block.kind == CacheKind::kKv) {
        released.insert({block.tier, block.second});
      }
    }
    leaving_.insert(std::move(*it));
    sequences_.erase(it);
  }
  for (const Slot& slot : released) used_.erase(slot);
}

void FakeWorker::Take(Tier tier, HalfSlot half_slot,
                      const std::set<Slot>& released) {
  const Slot slot = {tier, half_slot};
  EXPECT_TRUE(used_.insert(slot).second) << "slot in use: " << half_slot;
  EXPECT_FALSE(released.contains(slot)) << "reused at once: " << half_slot;
  int32_t capacity = 0;
  for (const PoolInfo& pool : info_.pools) {
    if (pool.tier == tier) capacity = pool.half_slots;
  }
  EXPECT_GE(half_slot.value(), 0);
  EXPECT_LT(half_slot.value(), capacity);
}

void FakeWorker::CheckTables(const StepPlan& plan,
                             const std::set<Slot>& released) {
  for (const TableUpdate& update : plan.table_updates) {
    EXPECT_FALSE(leaving_.contains(update.sequence)) << "an id used again";
    std::vector<BlockRef>& table = sequences_[update.sequence].table;
    EXPECT_EQ(update.first_block, static_cast<int32_t>(table.size()));
    EXPECT_FALSE(update.blocks.empty());
    for (const BlockRef& block : update.blocks) {
      if (block.kind == CacheKind::kTokens) {
        EXPECT_TRUE(table.empty() || table.back().kind == CacheKind::kTokens);
        table.push_back(block);
        continue;
      }
      Take(block.tier, block.first, released);
      if (block.kind == CacheKind::kKv) {
        Take(block.tier, block.second, released);
      }
      table.push_back(block);
    }
    EXPECT_EQ(update.table_hash, BlockTableHash(table));
  }
}

void FakeWorker::CheckSequence(const StepSequence& step) {
  SCOPED_TRACE(absl::StrCat("sequence ", step.sequence.value()));
  const auto it = sequences_.find(step.sequence);
  if (it == sequences_.end()) {
    ADD_FAILURE() << "no table";
    return;
  }
  Sequence& sequence = it->second;
  EXPECT_EQ(step.num_cached, sequence.num_scheduled) << "a gap in positions";
  EXPECT_GE(step.num_new, 1);
  if (step.new_tokens.empty()) {
    EXPECT_EQ(step.num_new, 1);
    EXPECT_TRUE(sequence.sampled_last) << "no token to go on with";
  } else {
    EXPECT_EQ(static_cast<int32_t>(step.new_tokens.size()), step.num_new);
  }
  const int32_t end = step.num_cached + step.num_new;
  EXPECT_LE(end, max_positions_);
  const int32_t block_tokens = info_.numerics.block_tokens;
  EXPECT_EQ((end + block_tokens - 1) / block_tokens,
            static_cast<int32_t>(sequence.table.size()))
      << "the table does not cover the positions, or more";
  if (!step.score_targets.empty()) {
    EXPECT_EQ(static_cast<int32_t>(step.score_targets.size()), step.num_new);
    EXPECT_FALSE(step.sample);
  }
  sequence.num_scheduled = end;
  sequence.sampled_last = step.sample;
}

void FakeWorker::CheckLimits(const StepPlan& plan) {
  int64_t rows = 0;
  int64_t chunk_rows = 0;
  int64_t logit_rows = 0;
  int64_t recomputed = 0;
  for (const StepSequence& step : plan.sequences) {
    rows += step.num_new;
    recomputed += Recomputed(step);
    if (step.num_new > 1) chunk_rows += step.num_new;
    logit_rows += step.sample;
  }
  EXPECT_LE(rows, info_.max_step_tokens);
  EXPECT_LE(chunk_rows, prefill_chunk_tokens_);
  EXPECT_LE(logit_rows, info_.max_logit_rows);
  EXPECT_LE(recomputed, info_.max_recomputed_tokens);
}

// Positions of cached TOKENS blocks, whole ones.
int64_t FakeWorker::Recomputed(const StepSequence& step) const {
  const auto it = sequences_.find(step.sequence);
  if (it == sequences_.end()) return 0;
  const int32_t block_tokens = info_.numerics.block_tokens;
  int64_t positions = 0;
  for (const BlockRef& block : it->second.table) {
    if (block.kind != CacheKind::kTokens || positions >= step.num_cached) break;
    positions += block_tokens;
  }
  return positions;
}

void FakeWorker::CheckMiniBatches(const StepPlan& plan) {
  std::vector<int> count(plan.sequences.size(), 0);
  for (const MiniBatch& batch : plan.mini_batches) {
    EXPECT_FALSE(batch.sequences.empty());
    int64_t staged = 0;
    for (const int32_t index : batch.sequences) {
      ASSERT_GE(index, 0);
      ASSERT_LT(index, static_cast<int32_t>(count.size()));
      ++count[index];
      staged += Staged(plan.sequences[index]);
    }
    EXPECT_LE(staged, info_.staging_half_slots);
  }
  for (const int times : count) EXPECT_EQ(times, 1) << "mini-batches";
}

void FakeWorker::CheckConversions(const StepPlan& plan,
                                  const std::set<Slot>& released) {
  std::set<SequenceId> seen;
  std::vector<Slot> left;
  for (const TableConversion& conversion : plan.conversions) {
    SCOPED_TRACE(absl::StrCat("sequence ", conversion.sequence.value()));
    EXPECT_TRUE(seen.insert(conversion.sequence).second);
    EXPECT_FALSE(conversion.blocks.empty());
    const auto step = std::find_if(plan.sequences.begin(), plan.sequences.end(),
                                   [&](const StepSequence& s) {
                                     return s.sequence == conversion.sequence;
                                   });
    const auto it = sequences_.find(conversion.sequence);
    if (step == plan.sequences.end() || it == sequences_.end()) {
      ADD_FAILURE() << "a conversion of a sequence that does not run";
      continue;
    }
    std::vector<BlockRef>& table = it->second.table;
    for (const BlockConversion& block : conversion.blocks) {
      ASSERT_GE(block.block, 0);
      ASSERT_LE((block.block + 1) * info_.numerics.block_tokens,
                step->num_cached)
          << "not whole: block " << block.block;
      BlockRef& converted = table[block.block];
      EXPECT_EQ(converted.kind, CacheKind::kAct) << "block " << block.block;
      EXPECT_EQ(block.to.kind, CacheKind::kKv);
      Take(block.to.tier, block.to.first, released);
      Take(block.to.tier, block.to.second, released);
      left.emplace_back(converted.tier, converted.first);
      converted = block.to;
      ++num_converted_;
    }
    EXPECT_EQ(conversion.table_hash, BlockTableHash(table));
  }
  for (const Slot& slot : left) used_.erase(slot);
}

// What the blocks of the step's cached positions take.
int64_t FakeWorker::Staged(const StepSequence& step) const {
  const auto it = sequences_.find(step.sequence);
  if (it == sequences_.end()) return 0;
  const int32_t block_tokens = info_.numerics.block_tokens;
  return StagedHalfSlots(
      absl::MakeConstSpan(it->second.table)
          .subspan(0, (step.num_cached + block_tokens - 1) / block_tokens));
}

SequenceResult FakeWorker::Run(const StepSequence& step) {
  const auto it = sequences_.find(step.sequence);
  Sequence& sequence =
      it == sequences_.end() ? leaving_[step.sequence] : it->second;
  SequenceResult result = {.sequence = step.sequence};
  std::vector<int32_t> new_tokens = step.new_tokens;
  if (new_tokens.empty()) new_tokens = {sequence.sampled};
  EXPECT_EQ(static_cast<int32_t>(sequence.tokens.size()), step.num_cached);
  for (size_t i = 0; i < new_tokens.size(); ++i) {
    sequence.tokens.push_back(new_tokens[i]);
    if (i < step.score_targets.size() && step.score_targets[i] != -1) {
      result.scores.push_back(
          FakeScore(sequence.tokens, step.score_targets[i], info_.numerics));
    }
  }
  if (!step.sample) return result;
  result.token = FakeToken(sequence.tokens, step.sampling.seed, info_.numerics,
                           vocab_size_);
  if (step.sampling.want_log_prob) {
    result.log_prob =
        FakeLogProb(sequence.tokens, result.token, info_.numerics);
  }
  for (int64_t i = 0; i < step.sampling.top_log_probs; ++i) {
    const auto id = static_cast<int32_t>((result.token + i) % vocab_size_);
    result.top.push_back(
        {.token = id,
         .log_prob = FakeLogProb(sequence.tokens, id, info_.numerics)});
  }
  sequence.sampled = result.token;
  return result;
}

StepResult FakeWorker::RunNext() {
  StepPlan plan = std::move(connection_->outstanding.front());
  connection_->outstanding.pop_front();
  for (const SequenceId id : plan.released) leaving_.erase(id);
  StepResult result = {.fence = plan.fence};
  for (const StepSequence& step : plan.sequences) {
    result.sequences.push_back(Run(step));
  }
  result.stats.wall = absl::Milliseconds(1);
  result.stats.weight_bytes = 2 * info_.streamed_layer_bytes;
  result.stats.mini_batches = static_cast<int32_t>(plan.mini_batches.size());
  return result;
}

StepResult FakeWorker::FailNext(const absl::Status& status) {
  StepResult result = {.fence = connection_->outstanding.front().fence,
                       .status = status};
  connection_->outstanding.pop_front();
  return result;
}

}  // namespace hybridserve
