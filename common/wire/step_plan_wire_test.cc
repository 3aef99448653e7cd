#include "common/wire/step_plan_wire.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "common/status_details.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hybridserve/worker/v1/fence.pb.h"
#include "hybridserve/worker/v1/step_plan.pb.h"

namespace hybridserve {
namespace {

namespace pb = worker::v1;

using ::testing::Optional;

int32_t Below(std::mt19937_64& rng, int32_t limit) {
  return static_cast<int32_t>(rng() % limit);
}

TableUpdate RandomUpdate(std::mt19937_64& rng) {
  TableUpdate update{.sequence = SequenceId(rng()),
                     .first_block = Below(rng, 1 << 20),
                     .table_hash = rng()};
  for (int n = Below(rng, 6); n > 0; --n) {
    if (rng() % 4 == 0) {
      update.blocks.push_back({.kind = CacheKind::kTokens});
      continue;
    }
    const bool act = rng() % 2 == 0;
    update.blocks.push_back(
        {.kind = act ? CacheKind::kAct : CacheKind::kKv,
         .tier = rng() % 2 == 0 ? Tier::kHost : Tier::kDevice,
         .first = HalfSlot(Below(rng, std::numeric_limits<int32_t>::max())),
         .second = HalfSlot(act ? 0 : Below(rng, 1 << 30))});
  }
  return update;
}

StepSequence RandomSequence(std::mt19937_64& rng) {
  StepSequence sequence{.sequence = SequenceId(rng()),
                        .num_cached = Below(rng, 4096),
                        .num_new = 1 + Below(rng, 5),
                        .sample = rng() % 2 == 0};
  if (sequence.num_new > 1 || rng() % 2 == 0) {
    for (int i = 0; i < sequence.num_new; ++i) {
      sequence.new_tokens.push_back(Below(rng, 50'000));
    }
  }
  if (rng() % 3 == 0) {
    for (int i = 0; i < sequence.num_new; ++i) {
      sequence.score_targets.push_back(Below(rng, 50'000) - 1);
    }
  }
  if (sequence.sample) {
    sequence.sampling = {.temperature = Below(rng, 100) / 7.0,
                         .top_k = Below(rng, 100),
                         .top_p = (1 + Below(rng, 99)) / 100.0,
                         .seed = rng(),
                         .presence_penalty = Below(rng, 401) / 100.0 - 2,
                         .frequency_penalty = Below(rng, 401) / 100.0 - 2,
                         .repetition_penalty = (1 + Below(rng, 200)) / 100.0,
                         .want_log_prob = rng() % 2 == 0,
                         .top_log_probs = Below(rng, 21)};
    for (int32_t id = Below(rng, 9), n = Below(rng, 4); n > 0; --n) {
      sequence.sampling.logit_bias.push_back(
          {.token = id, .bias = Below(rng, 201) - 100.0});
      id += 1 + Below(rng, 1000);
    }
    sequence.num_prompt = Below(rng, sequence.num_cached + 1);
  }
  return sequence;
}

TableConversion RandomConversion(std::mt19937_64& rng) {
  TableConversion conversion{.sequence = SequenceId(rng()),
                             .table_hash = rng()};
  for (int n = Below(rng, 4); n > 0; --n) {
    conversion.blocks.push_back(
        {.block = Below(rng, 1 << 20),
         .to = {.kind = CacheKind::kKv,
                .tier = rng() % 2 == 0 ? Tier::kHost : Tier::kDevice,
                .first = HalfSlot(Below(rng, 1 << 30)),
                .second = HalfSlot(Below(rng, 1 << 30))}});
  }
  return conversion;
}

StepPlan RandomPlan(std::mt19937_64& rng) {
  StepPlan plan{.fence = {.term = rng(), .epoch = rng(), .step = rng()}};
  for (int n = Below(rng, 4); n > 0; --n) {
    plan.released.push_back(SequenceId(rng()));
  }
  for (int n = Below(rng, 5); n > 0; --n) {
    plan.table_updates.push_back(RandomUpdate(rng));
  }
  const int sequences = Below(rng, 6);
  for (int i = 0; i < sequences; ++i) {
    plan.sequences.push_back(RandomSequence(rng));
    if (plan.mini_batches.empty() || rng() % 2 == 0) {
      plan.mini_batches.emplace_back();
    }
    plan.mini_batches.back().sequences.push_back(i);
  }
  for (int n = Below(rng, 3); n > 0; --n) {
    plan.conversions.push_back(RandomConversion(rng));
  }
  return plan;
}

void ExpectEqual(const StepPlan& a, const StepPlan& b) {
  EXPECT_EQ(a.fence, b.fence);
  EXPECT_EQ(a.released, b.released);
  ASSERT_EQ(a.table_updates.size(), b.table_updates.size());
  for (size_t i = 0; i < a.table_updates.size(); ++i) {
    EXPECT_EQ(a.table_updates[i].sequence, b.table_updates[i].sequence);
    EXPECT_EQ(a.table_updates[i].first_block, b.table_updates[i].first_block);
    EXPECT_EQ(a.table_updates[i].blocks, b.table_updates[i].blocks);
    EXPECT_EQ(a.table_updates[i].table_hash, b.table_updates[i].table_hash);
  }
  ASSERT_EQ(a.sequences.size(), b.sequences.size());
  for (size_t i = 0; i < a.sequences.size(); ++i) {
    EXPECT_EQ(a.sequences[i].sequence, b.sequences[i].sequence);
    EXPECT_EQ(a.sequences[i].num_cached, b.sequences[i].num_cached);
    EXPECT_EQ(a.sequences[i].new_tokens, b.sequences[i].new_tokens);
    EXPECT_EQ(a.sequences[i].num_new, b.sequences[i].num_new);
    EXPECT_EQ(a.sequences[i].sample, b.sequences[i].sample);
    EXPECT_EQ(a.sequences[i].sampling, b.sequences[i].sampling);
    EXPECT_EQ(a.sequences[i].num_prompt, b.sequences[i].num_prompt);
    EXPECT_EQ(a.sequences[i].score_targets, b.sequences[i].score_targets);
  }
  ASSERT_EQ(a.mini_batches.size(), b.mini_batches.size());
  for (size_t i = 0; i < a.mini_batches.size(); ++i) {
    EXPECT_EQ(a.mini_batches[i].sequences, b.mini_batches[i].sequences);
  }
  ASSERT_EQ(a.conversions.size(), b.conversions.size());
  for (size_t i = 0; i < a.conversions.size(); ++i) {
    EXPECT_EQ(a.conversions[i].sequence, b.conversions[i].sequence);
    EXPECT_EQ(a.conversions[i].table_hash, b.conversions[i].table_hash);
    ASSERT_EQ(a.conversions[i].blocks.size(), b.conversions[i].blocks.size());
    for (size_t j = 0; j < a.conversions[i].blocks.size(); ++j) {
      EXPECT_EQ(a.conversions[i].blocks[j].block,
                b.conversions[i].blocks[j].block);
      EXPECT_EQ(a.conversions[i].blocks[j].to, b.conversions[i].blocks[j].to);
    }
  }
}

TEST(StepPlanWireTest, EveryPlanSurvivesTheWayThereAndBack) {
  std::mt19937_64 rng(20240917);  // Fixed: a failure replays.
  for (int i = 0; i < 2000; ++i) {
    SCOPED_TRACE(i);
    const StepPlan plan = RandomPlan(rng);
    pb::Fence fence;
    pb::StepPlan wire;
    FenceToWire(plan.fence, fence);
    StepPlanToWire(plan, wire);
    pb::StepPlan received;
    ASSERT_TRUE(received.ParseFromString(wire.SerializeAsString()));
    const auto back = StepPlanFromWire(FenceFromWire(fence), received);
    ASSERT_THAT(back, IsOk());
    ExpectEqual(*back, plan);
  }
}

// A plan that is right, for tests to break.
pb::StepPlan GoodPlan() {
  pb::StepPlan plan;
  auto& update = *plan.add_table_updates();
  update.set_sequence(7);
  auto& block = *update.add_blocks();
  block.set_kind(pb::CACHE_KIND_ACT);
  block.set_tier(pb::TIER_HOST);
  auto& sequence = *plan.add_sequences();
  sequence.set_sequence(7);
  sequence.set_num_new(2);
  sequence.add_new_tokens(3);
  sequence.add_new_tokens(4);
  sequence.set_sample(true);
  sequence.mutable_sampling()->set_top_p(1);
  sequence.mutable_sampling()->set_repetition_penalty(1);
  plan.add_mini_batches()->add_sequences(0);
  auto& conversion = *plan.add_conversions();
  conversion.set_sequence(7);
  auto& to = *conversion.add_blocks()->mutable_to();
  to.set_kind(pb::CACHE_KIND_KV);
  to.set_tier(pb::TIER_DEVICE);
  to.set_second(1);
  return plan;
}

struct Damage {
  std::string field;
  std::function<void(pb::StepPlan&)> apply;
};

TEST(StepPlanWireTest, WhatNoPlanCanSayIsRefusedByField) {
  ASSERT_THAT(StepPlanFromWire({}, GoodPlan()), IsOk());
  const auto block = [](pb::StepPlan& plan) {
    return plan.mutable_table_updates(0)->mutable_blocks(0);
  };
  const auto sequence = [](pb::StepPlan& plan) {
    return plan.mutable_sequences(0);
  };
  const auto converted = [](pb::StepPlan& plan) {
    return plan.mutable_conversions(0)->mutable_blocks(0);
  };
  const std::vector<Damage> damages = {
      {"table_updates[0].blocks[0].kind",
       [&](auto& p) { block(p)->set_kind(pb::CACHE_KIND_UNSPECIFIED); }},
      {"table_updates[0].blocks[0].kind",
       [&](auto& p) { block(p)->set_kind(static_cast<pb::CacheKind>(9)); }},
      {"table_updates[0].blocks[0].tier",
       [&](auto& p) { block(p)->clear_tier(); }},
      {"table_updates[0].blocks[0].first",
       [&](auto& p) { block(p)->set_first(-1); }},
      {"table_updates[0].blocks[0].second",
       [&](auto& p) { block(p)->set_second(1); }},
      {"table_updates[0].first_block",
       [](auto& p) { p.mutable_table_updates(0)->set_first_block(-1); }},
      {"table_updates[0].first_block",
       [](auto& p) {
         p.mutable_table_updates(0)->set_first_block(
             std::numeric_limits<int32_t>::max());
       }},
      {"sequences[0].num_cached",
       [&](auto& p) { sequence(p)->set_num_cached(-1); }},
      {"sequences[0].num_new", [&](auto& p) { sequence(p)->set_num_new(0); }},
      {"sequences[0].num_new",
       [&](auto& p) {
         sequence(p)->set_num_cached(std::numeric_limits<int32_t>::max());
       }},
      {"sequences[0].new_tokens",
       [&](auto& p) { sequence(p)->clear_new_tokens(); }},
      {"sequences[0].new_tokens",
       [&](auto& p) { sequence(p)->set_new_tokens(0, -5); }},
      {"sequences[0].score_targets",
       [&](auto& p) { sequence(p)->add_score_targets(1); }},
      {"sequences[0].sampling.top_p",
       [&](auto& p) { sequence(p)->clear_sampling(); }},
      {"sequences[0].sampling.temperature",
       [&](auto& p) {
         sequence(p)->mutable_sampling()->set_temperature(
             std::numeric_limits<double>::quiet_NaN());
       }},
      {"sequences[0].sampling.top_log_probs",
       [&](auto& p) {
         sequence(p)->mutable_sampling()->set_top_log_probs(21);
       }},
      {"sequences[0].sampling.top_k",
       [&](auto& p) { sequence(p)->mutable_sampling()->set_top_k(-1); }},
      {"sequences[0].sampling.presence_penalty",
       [&](auto& p) {
         sequence(p)->mutable_sampling()->set_presence_penalty(-2.5);
       }},
      {"sequences[0].sampling.frequency_penalty",
       [&](auto& p) {
         sequence(p)->mutable_sampling()->set_frequency_penalty(
             std::numeric_limits<double>::quiet_NaN());
       }},
      {"sequences[0].sampling.repetition_penalty",
       [&](auto& p) {
         sequence(p)->mutable_sampling()->clear_repetition_penalty();
       }},
      {"sequences[0].sampling.logit_bias",
       [&](auto& p) {
         (*sequence(p)->mutable_sampling()->mutable_logit_bias())[-1] = 1;
       }},
      {"sequences[0].sampling.logit_bias",
       [&](auto& p) {
         (*sequence(p)->mutable_sampling()->mutable_logit_bias())[1] = 101;
       }},
      {"sequences[0].sampling.logit_bias",
       [&](auto& p) {
         for (int32_t id = 0; id <= kMaxLogitBiases; ++id) {
           (*sequence(p)->mutable_sampling()->mutable_logit_bias())[id] = 1;
         }
       }},
      {"sequences[0].num_prompt",
       [&](auto& p) { sequence(p)->set_num_prompt(-1); }},
      {"sequences[0].num_prompt",
       [&](auto& p) { sequence(p)->set_num_prompt(3); }},
      {"conversions[0].blocks[0].block",
       [&](auto& p) { converted(p)->set_block(-1); }},
      {"conversions[0].blocks[0].to.kind",
       [&](auto& p) { converted(p)->clear_to(); }},
      {"conversions[0].blocks[0].to.kind",
       [&](auto& p) {
         auto& to = *converted(p)->mutable_to();
         to.set_kind(pb::CACHE_KIND_ACT);
         to.clear_second();
       }},
      {"conversions[0].blocks[0].to.tier",
       [&](auto& p) { converted(p)->mutable_to()->clear_tier(); }},
      {"conversions[0].blocks[0].to.first",
       [&](auto& p) { converted(p)->mutable_to()->set_first(-1); }},
      {"conversions[0].blocks[0].to.second",
       [&](auto& p) { converted(p)->mutable_to()->set_second(-1); }},
      {"mini_batches", [](auto& p) { p.clear_mini_batches(); }},
      {"mini_batches[0].sequences",
       [](auto& p) { p.mutable_mini_batches(0)->add_sequences(0); }},
      {"mini_batches[0].sequences",
       [](auto& p) { p.mutable_mini_batches(0)->set_sequences(0, 1); }},
  };
  for (const Damage& damage : damages) {
    SCOPED_TRACE(damage.field);
    pb::StepPlan plan = GoodPlan();
    damage.apply(plan);
    const auto back = StepPlanFromWire({}, plan);
    EXPECT_THAT(back, StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_THAT(FieldOf(back.status()), Optional(damage.field));
  }
}

// Whatever bytes arrive: a plan or a refusal.
TEST(StepPlanWireTest, DamagedBytesNeverCrash) {
  std::mt19937_64 rng(7);
  int parsed = 0;
  for (int i = 0; i < 5000; ++i) {
    pb::StepPlan wire;
    StepPlanToWire(RandomPlan(rng), wire);
    std::string bytes = wire.SerializeAsString();
    for (int flips = 1 + Below(rng, 4); flips > 0 && !bytes.empty(); --flips) {
      bytes[rng() % bytes.size()] = static_cast<char>(rng());
    }
    pb::StepPlan received;
    if (!received.ParseFromString(bytes)) continue;
    ++parsed;
    const auto back = StepPlanFromWire({}, received);
    if (!back.ok()) {
      EXPECT_THAT(back, StatusIs(absl::StatusCode::kInvalidArgument));
    }
  }
  EXPECT_GT(parsed, 100);
}

}  // namespace
}  // namespace hybridserve
