#include "worker/offload/direct_engine.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "common/cache/table_hash.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/device/sim/sim_device.h"
#include "worker/memory_planner.h"

// The engine on a simulated device: its schedule alone decides, so how well it
// overlaps link and compute is a number without noise.

namespace hybridserve {
namespace {

constexpr int64_t kHidden = 7168;
constexpr int kSequences = 32;
constexpr int kContext = 512;
constexpr int kBlockTokens = 16;

// OPT-30B's layers (arXiv:2205.01068, table 1), fewer of them.
ModelConfig Opt30b() {
  ModelConfig config;
  config.hidden = config.word_embed_dim = kHidden;
  config.num_layers = 6;
  config.num_heads = config.num_kv_heads = 56;
  config.head_dim = 128;
  config.ffn_dim = 4 * kHidden;
  config.vocab_size = 50272;
  config.max_positions = 2048;
  return config;
}

// An RTX 4090 behind PCIe 4.0 as PAPER.md 4.4 has it: 24 GB/s, 150 TFLOPS, 1
// TB/s. Some microseconds to begin anything.
WorkProfile Rtx4090() {
  WorkProfile profile;
  const auto set = [&profile](WorkKind kind, double seconds_per_unit) {
    profile.fits[kind].cost = {.fixed = absl::Microseconds(5),
                               .seconds_per_unit = seconds_per_unit};
  };
  for (const WorkKind kind : {WorkKind::kWeights, WorkKind::kKv, WorkKind::kAct,
                              WorkKind::kInputs, WorkKind::kWriteBack}) {
    set(kind, 1 / 24e9);
  }
  const double h = kHidden;
  set(WorkKind::kRebuild, 4 * h * h / 150e12);
  set(WorkKind::kForward, 24 * h * h / 150e12);
  set(WorkKind::kAttention, 4 * h / 1e12);
  set(WorkKind::kHead, 1e-7);
  return profile;
}

// A model on the simulated device, and sequences of one length on it.
class Simulation {
 public:
  // A share `act_ratio` of each sequence's blocks is ACT.
  explicit Simulation(double act_ratio) : act_ratio_(act_ratio) {
    resources_.device = CreateSimDevice(
        {.description = "RTX 4090",
         .profile = Rtx4090(),
         .on_piece =
             [this](const SimPiece& piece) { pieces_.push_back(piece); }},
        clock_);
    resources_.config = Opt30b();
    resources_.plan = MakeWeightPlan(resources_.config, DType::kBFloat16,
                                     resources_.device->weight_layout());
    resources_.memory =
        MakeMemoryPlan({.config = &resources_.config,
                        .weights = &resources_.plan,
                        .device_memory = MemorySetting::Bytes(int64_t{5} << 30),
                        .staging_memory_bytes = int64_t{1} << 30,
                        .max_running = kSequences,
                        .device_available = int64_t{24} << 30,
                        .host_available = int64_t{882} << 30})
            .value();
    resources_.weights =
        HostWeights::Allocate(*resources_.device, resources_.plan).value();
    const MemoryPlan& memory = resources_.memory;
    resources_.arenas.host =
        CacheArena::Create(*resources_.device, MemorySpace::kHost,
                           resources_.plan.num_layers, memory.host_half_slots,
                           memory.half_slot_bytes)
            .value();
    engine_ = DirectEngine::Create(resources_, clock_).value();
    for (int i = 0; i < kSequences; ++i) Prefill(i);
  }

  // Runs steps of one new token a sequence, two plans ahead. Each turns
  // `converted` ACT blocks of every sequence into KV.
  std::vector<StepResult> Decode(int steps, int converted = 0) {
    std::vector<StepResult> results;
    for (int i = 0; i < steps; ++i) {
      StepPlan plan = DecodePlan();
      for (size_t j = 0; converted > 0 && j < tables_.size(); ++j) {
        Convert(j, i * converted, converted, plan);
      }
      engine_->Submit(std::move(plan));
      if (i > 0) results.push_back(engine_->RunNext());
    }
    results.push_back(engine_->RunNext());
    return results;
  }

  // Of decode steps one after the other, in the order of their queuing.
  std::vector<SimPiece> PiecesOf(int steps) {
    Decode(1);
    pieces_.clear();
    Decode(steps);
    return pieces_;
  }

 private:
  StepPlan NextPlan() {
    return {.fence = {.term = 1, .epoch = 1, .step = ++step_}};
  }

  void Prefill(int index) {
    const SequenceId id(index + 1);
    const int64_t rows = resources_.memory.step.rows;
    std::vector<BlockRef> blocks;
    for (int i = 0; i <= kContext / kBlockTokens; ++i) {
      const bool act = static_cast<int>((i + 1) * act_ratio_) >
                       static_cast<int>(i * act_ratio_);
      BlockRef block = {.kind = act ? CacheKind::kAct : CacheKind::kKv,
                        .first = HalfSlot(next_slot_++)};
      if (!act) block.second = HalfSlot(next_slot_++);
      blocks.push_back(block);
    }
    tables_.push_back(blocks);
    for (int64_t done = 0; done < kContext;) {
      const int64_t count = std::min<int64_t>(rows, kContext - done);
      StepPlan plan = NextPlan();
      if (done == 0) {
        plan.table_updates.push_back({.sequence = id,
                                      .blocks = blocks,
                                      .table_hash = BlockTableHash(blocks)});
      }
      StepSequence sequence = {.sequence = id,
                               .num_cached = static_cast<int32_t>(done),
                               .new_tokens = std::vector<int32_t>(count, 7),
                               .num_new = static_cast<int32_t>(count)};
      done += count;
      sequence.sample = done == kContext;
      sequence.sampling.seed = index;
      plan.sequences.push_back(sequence);
      plan.mini_batches.push_back({.sequences = {0}});
      engine_->Submit(plan);
      ASSERT_THAT(engine_->RunNext().status, IsOk());
    }
  }

  StepPlan DecodePlan() {
    StepPlan plan = NextPlan();
    for (int i = 0; i < kSequences; ++i) {
      StepSequence sequence = {.sequence = SequenceId(i + 1),
                               .num_cached = kContext + decoded_,
                               .num_new = 1,
                               .sample = true};
      sequence.sampling.seed = i;
      plan.sequences.push_back(sequence);
      if (i % kPerMiniBatch == 0) plan.mini_batches.emplace_back();
      plan.mini_batches.back().sequences.push_back(i);
    }
    ++decoded_;
    return plan;
  }

  // Of a sequence whose blocks [first, first + count) are ACT.
  void Convert(size_t index, int first, int count, StepPlan& plan) {
    TableConversion conversion = {.sequence = SequenceId(index + 1)};
    for (int i = first; i < first + count; ++i) {
      BlockRef& block = tables_[index][i];
      block = {.kind = CacheKind::kKv,
               .first = HalfSlot(next_slot_),
               .second = HalfSlot(next_slot_ + 1)};
      next_slot_ += 2;
      conversion.blocks.push_back({.block = i, .to = block});
    }
    conversion.table_hash = BlockTableHash(tables_[index]);
    plan.conversions.push_back(std::move(conversion));
  }

  static constexpr int kPerMiniBatch = 4;

  const double act_ratio_;
  SimClock clock_;
  EngineResources resources_;
  std::unique_ptr<DirectEngine> engine_;
  uint64_t step_ = 0;
  int32_t next_slot_ = 0;
  std::vector<std::vector<BlockRef>> tables_;  // By sequence.
  int32_t decoded_ = 0;
  std::vector<SimPiece> pieces_;
};

// Of the steps but the first, whose copies ran ahead of nothing.
StepStats SumOf(const std::vector<StepResult>& results) {
  StepStats sum;
  for (size_t i = 1; i < results.size(); ++i) {
    EXPECT_THAT(results[i].status, IsOk());
    sum.wall += results[i].stats.wall;
    sum.link_busy += results[i].stats.link_busy;
    sum.compute_busy += results[i].stats.compute_busy;
    sum.act_bytes += results[i].stats.act_bytes;
    sum.kv_bytes += results[i].stats.kv_bytes;
    sum.write_back_bytes += results[i].stats.write_back_bytes;
    sum.work[WorkKind::kWriteBack] +=
        results[i].stats.work[WorkKind::kWriteBack];
  }
  return sum;
}

class OverlapTest : public testing::TestWithParam<double> {};

TEST_P(OverlapTest, AStepTakesWhatLinkOrComputeTakes) {
  Simulation simulation(GetParam());
  const StepStats sum = SumOf(simulation.Decode(8));
  const absl::Duration ideal = std::max(sum.link_busy, sum.compute_busy);
  EXPECT_GT(ideal, absl::ZeroDuration());
  EXPECT_GE(sum.wall, ideal * 0.999);
  EXPECT_LE(sum.wall, ideal / 0.95)
      << "link " << sum.link_busy << ", compute " << sum.compute_busy;
  EXPECT_EQ(sum.act_bytes > 0, GetParam() > 0);
  EXPECT_EQ(sum.kv_bytes > 0, GetParam() < 1);
}

INSTANTIATE_TEST_SUITE_P(Mixes, OverlapTest, testing::Values(0, 0.25, 0.5, 1));

// What is turned into KV crosses the link as KV, by the stream that is idle
// otherwise: the step takes no longer.
TEST(DirectEngineTest, TurningActIntoKvRidesAlong) {
  constexpr int kSteps = 8;
  Simulation keeps(1);
  Simulation converts(1);
  const StepStats plain = SumOf(keeps.Decode(kSteps));
  const StepStats sum = SumOf(converts.Decode(kSteps, 1));
  // Of the last seven steps; each layer has a piece a mini-batch more.
  const int64_t blocks = int64_t{kSteps - 1} * kSequences;
  const ModelConfig config = Opt30b();
  const int64_t bytes = blocks * config.num_layers * 2 * kBlockTokens *
                        config.kv_width() * SizeOf(DType::kBFloat16);
  EXPECT_EQ(sum.write_back_bytes, plain.write_back_bytes + bytes);
  // A step's first piece counts with the step before, when it was queued.
  EXPECT_NEAR(sum.work[WorkKind::kWriteBack].units,
              static_cast<double>(sum.write_back_bytes),
              static_cast<double>(bytes) / 100);
  EXPECT_GT(sum.work[WorkKind::kWriteBack].busy,
            plain.work[WorkKind::kWriteBack].busy +
                0.99 * absl::Seconds(static_cast<double>(bytes) / 24e9));
  EXPECT_LT(sum.compute_busy, plain.compute_busy);
  EXPECT_GT(sum.kv_bytes, 0);
  EXPECT_LE(sum.wall, std::max(sum.link_busy, sum.compute_busy) / 0.95);
}

// A mini-batch's ACT before its KV, as rebuilding begins with it; mini-batch
// after mini-batch, layer after layer; one copy at a time.
TEST(DirectEngineTest, CopiesComeInTheOrderOfTheirUse) {
  constexpr int kSteps = 3;
  Simulation simulation(0.5);
  const std::vector<SimPiece> pieces = simulation.PiecesOf(kSteps);
  absl::Time link_free = absl::InfinitePast();
  std::vector<std::pair<int64_t, int64_t>> staged;  // Layer, mini-batch.
  std::vector<WorkKind> kinds;
  for (const SimPiece& piece : pieces) {
    if (piece.stream != StreamKind::kCopyIn) continue;
    EXPECT_GE(piece.begin, link_free);
    link_free = piece.end;
    const WorkKind kind = piece.tag.kind;
    if (kind != WorkKind::kAct && kind != WorkKind::kKv) continue;
    kinds.push_back(kind);
    staged.emplace_back(piece.tag.layer, piece.tag.mini_batch);
  }
  const auto num_layers = static_cast<int>(Opt30b().num_layers);
  constexpr int kMiniBatches = kSequences / 4;
  ASSERT_GE(kinds.size(), size_t{2} * (kSteps - 1) * num_layers * kMiniBatches);
  for (size_t i = 0; i + 1 < kinds.size(); i += 2) {
    EXPECT_EQ(kinds[i], WorkKind::kAct) << i;
    EXPECT_EQ(kinds[i + 1], WorkKind::kKv) << i;
    EXPECT_EQ(staged[i], staged[i + 1]) << i;
    if (i == 0) continue;
    const auto& [layer, mini_batch] = staged[i - 1];
    const std::pair<int64_t, int64_t> next =
        mini_batch + 1 < kMiniBatches
            ? std::pair(layer, mini_batch + 1)
            : std::pair((layer + 1) % num_layers, int64_t{0});
    EXPECT_EQ(staged[i], next) << i;
  }
}

// What compute reads of a mini-batch's cache has arrived.
TEST(DirectEngineTest, ComputeWaitsForWhatItReads) {
  Simulation simulation(0.5);
  const std::vector<SimPiece> pieces = simulation.PiecesOf(3);
  int64_t checked = 0;
  for (size_t i = 0; i < pieces.size(); ++i) {
    const SimPiece& op = pieces[i];
    WorkKind read = WorkKind::kOther;
    if (op.tag.kind == WorkKind::kRebuild) read = WorkKind::kAct;
    if (op.tag.kind == WorkKind::kAttention) read = WorkKind::kKv;
    if (read == WorkKind::kOther) continue;
    // The last such copy that was queued before it.
    for (size_t j = i; j-- > 0;) {
      const SimPiece& copy = pieces[j];
      if (copy.tag.kind != read || copy.tag.layer != op.tag.layer ||
          copy.tag.mini_batch != op.tag.mini_batch) {
        continue;
      }
      EXPECT_GE(op.begin, copy.end) << Name(op.tag.kind) << op.tag.layer;
      ++checked;
      break;
    }
  }
  EXPECT_GT(checked, 2 * 2 * 6 * 7);
}

TEST(DirectEngineTest, TheSameRunTakesTheSameTime) {
  Simulation first(0.4);
  Simulation second(0.4);
  const std::vector<StepResult> a = first.Decode(4);
  const std::vector<StepResult> b = second.Decode(4);
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].stats.wall, b[i].stats.wall);
  }
}

TEST(DirectEngineTest, TokensDependOnSeedAndPositionAlone) {
  Simulation kv(0);
  Simulation act(1);
  const std::vector<StepResult> a = kv.Decode(3);
  const std::vector<StepResult> b = act.Decode(3);
  for (size_t i = 0; i < a.size(); ++i) {
    for (int j = 0; j < kSequences; ++j) {
      EXPECT_EQ(a[i].sequences[j].token, b[i].sequences[j].token);
      EXPECT_GE(a[i].sequences[j].token, 4);
    }
  }
  EXPECT_NE(a[0].sequences[0].token, a[0].sequences[1].token);
}

}  // namespace
}  // namespace hybridserve
