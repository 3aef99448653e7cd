#include "scheduler/policy/conversion.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/time/time.h"
#include "common/linear_cost.h"
#include "common/work.h"

// A KV block in place of an ACT block saves its rebuild and costs the link as
// much again (nothing, if it finds a place on the device). So with every block
// compute falls and link grows, and the step is shortest where they meet. The
// way there is free: K and V are in the staging area anyway, and copy-out is
// idle but for new rows.
//
// There is no way back, so nothing swings. But when many sequences end, link
// bound by the weights alone is what remains, and those that go on would rather
// have their ACT again. Hence the second look, at those that stay at least half
// as long as the one that stays longest: what they will be among themselves
// must not want the blocks back either.

namespace hybridserve {
namespace {

// By so much of itself a step must get shorter.
constexpr double kDeadBand = 0.02;
// Of a layer's time, what copy-out may be busy for: a staging area waits for
// it before it is filled anew.
constexpr double kCopyOutShare = 0.5;
// A sequence that ends sooner is left alone.
constexpr int64_t kLeastSteps = 8;

// Sequences that decode together.
struct Batch {
  StepLoad load;
  BlockCounts blocks;

  void Add(const ConversionCandidate& candidate) {
    load.sequences += 1;
    load.new_rows += 1;
    load.context_tokens += static_cast<double>(candidate.context_tokens);
    blocks += candidate.blocks;
  }
};

// A step of the batch once `count` of its ACT blocks, from both tiers alike,
// are KV: on the device as far as there is room.
StepTime Predict(const CostModel& costs, const Batch& batch,
                 const ConversionRoom& room, int64_t count) {
  BlockCounts blocks = batch.blocks;
  const auto converted = static_cast<double>(count);
  if (count > 0) {
    const double from_host = converted * blocks.act_host / blocks.act();
    const auto to_device =
        static_cast<double>(std::min(count, room.device_blocks));
    blocks.act_host -= from_host;
    blocks.act_device -= converted - from_host;
    blocks.kv_device += to_device;
    blocks.kv_host += converted - to_device;
  }
  StepLoad load = batch.load;
  load.fill = load.context_tokens / (blocks.total() * costs.shape.block_tokens);
  return PredictStep(costs, load, blocks);
}

// The most of `most` blocks with which link does not yet take longer than
// compute.
int64_t UntilBalance(const CostModel& costs, const Batch& batch,
                     const ConversionRoom& room, int64_t most) {
  const auto computes_longer = [&](int64_t count) {
    const StepTime time = Predict(costs, batch, room, count);
    const auto layers = static_cast<double>(time.num_layers);
    return layers * time.link + time.head_link <=
           layers * time.compute + time.head_compute;
  };
  if (!computes_longer(0)) return 0;
  int64_t fits = 0;
  int64_t beyond = most + 1;
  while (beyond - fits > 1) {
    const int64_t middle = fits + (beyond - fits) / 2;
    (computes_longer(middle) ? fits : beyond) = middle;
  }
  return fits;
}

// Blocks that copy-out carries in its share of a layer, beside new rows.
int64_t MostAtOnce(const CostModel& costs, const Batch& batch,
                   const ConversionRoom& room) {
  const StepTime time = Predict(costs, batch, room, 0);
  Batch written = batch;
  written.load.new_rows += static_cast<double>(room.prompt_rows);
  const LinearCost& cost = costs.profile.cost(WorkKind::kWriteBack);
  const double seconds = kCopyOutShare * time.layer() -
                         Predict(costs, written, room, 0).copy_out -
                         absl::ToDoubleSeconds(cost.fixed) *
                             static_cast<double>(time.mini_batches);
  if (seconds <= 0) return 0;
  const double block = cost.seconds_per_unit * costs.shape.block_tokens *
                       costs.shape.kv_bytes_per_token;
  const double most =
      block > 0 ? seconds / block : std::numeric_limits<double>::infinity();
  return room.device_blocks +
         static_cast<int64_t>(std::min(most, batch.blocks.act()));
}

// How many blocks to convert of the `convertible` ones of those that stay.
int64_t NumWanted(const CostModel& costs, const Batch& all, const Batch& stay,
                  const ConversionRoom& room, int64_t convertible) {
  const int64_t most = std::min(room.spare_half_slots, convertible);
  if (most <= 0 || costs.is_free()) return 0;
  const int64_t wanted = std::min(UntilBalance(costs, all, room, most),
                                  UntilBalance(costs, stay, room, most));
  const double now = Predict(costs, all, room, 0).step();
  const double then = Predict(costs, all, room, wanted).step();
  if (then > now * (1 - kDeadBand)) return 0;
  return std::min(
      {wanted, MostAtOnce(costs, all, room), room.free_half_slots / 2});
}

}  // namespace

std::vector<int64_t> ChooseConversions(
    const CostModel& costs, const ConversionRoom& room,
    absl::Span<const ConversionCandidate> candidates) {
  std::vector<int64_t> chosen(candidates.size(), 0);
  int64_t longest = 0;
  for (const ConversionCandidate& candidate : candidates) {
    longest = std::max(longest, candidate.steps_left);
  }
  const int64_t least = std::max(kLeastSteps, (longest + 1) / 2);
  Batch all;
  Batch stay;
  int64_t convertible = 0;
  // Steps left, the older first where they are as many.
  std::vector<std::pair<int64_t, int64_t>> heap;
  for (size_t i = 0; i < candidates.size(); ++i) {
    const ConversionCandidate& candidate = candidates[i];
    all.Add(candidate);
    if (candidate.steps_left < least) continue;
    stay.Add(candidate);
    if (candidate.convertible == 0) continue;
    convertible += candidate.convertible;
    heap.emplace_back(candidate.steps_left, -static_cast<int64_t>(i));
  }
  int64_t wanted = NumWanted(costs, all, stay, room, convertible);
  if (wanted <= 0) return chosen;
  std::make_heap(heap.begin(), heap.end());
  while (wanted > 0) {
    std::pop_heap(heap.begin(), heap.end());
    const int64_t index = -heap.back().second;
    heap.pop_back();
    chosen[index] = std::min(wanted, candidates[index].convertible);
    wanted -= chosen[index];
  }
  return chosen;
}

}  // namespace hybridserve
