#include "common/wire/step_result_wire.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/sampling_params.h"
#include "common/status_details.h"
#include "common/status_macros.h"
#include "common/wire/work_wire.h"
#include "hybridserve/worker/v1/step_result.pb.h"

namespace hybridserve {
namespace {

namespace pb = worker::v1;

constexpr int kLastCode = static_cast<int>(absl::StatusCode::kUnauthenticated);

void StatsToWire(const StepStats& stats, pb::StepStats& wire) {
  wire.set_wall_ns(absl::ToInt64Nanoseconds(stats.wall));
  wire.set_link_busy_ns(absl::ToInt64Nanoseconds(stats.link_busy));
  wire.set_copy_out_busy_ns(absl::ToInt64Nanoseconds(stats.copy_out_busy));
  wire.set_compute_busy_ns(absl::ToInt64Nanoseconds(stats.compute_busy));
  wire.set_weight_bytes(stats.weight_bytes);
  wire.set_kv_bytes(stats.kv_bytes);
  wire.set_act_bytes(stats.act_bytes);
  wire.set_other_in_bytes(stats.other_in_bytes);
  wire.set_write_back_bytes(stats.write_back_bytes);
  wire.set_rebuilt_tokens(stats.rebuilt_tokens);
  wire.set_mini_batches(stats.mini_batches);
  WorkTotalsToWire(stats.work, *wire.mutable_work());
}

absl::Status CheckStats(const pb::StepStats& wire) {
  const std::pair<const char*, int64_t> fields[] = {
      {"stats.wall_ns", wire.wall_ns()},
      {"stats.link_busy_ns", wire.link_busy_ns()},
      {"stats.copy_out_busy_ns", wire.copy_out_busy_ns()},
      {"stats.compute_busy_ns", wire.compute_busy_ns()},
      {"stats.weight_bytes", wire.weight_bytes()},
      {"stats.kv_bytes", wire.kv_bytes()},
      {"stats.act_bytes", wire.act_bytes()},
      {"stats.other_in_bytes", wire.other_in_bytes()},
      {"stats.write_back_bytes", wire.write_back_bytes()},
      {"stats.rebuilt_tokens", wire.rebuilt_tokens()},
      {"stats.mini_batches", wire.mini_batches()},
  };
  for (const auto& [name, value] : fields) {
    // Sums over many steps stay far from overflow.
    if (value < 0 || value > (int64_t{1} << 50)) {
      return InvalidFieldError(name, absl::StrCat("is out of range: ", value));
    }
  }
  return absl::OkStatus();
}

StepStats StatsFromWire(const pb::StepStats& wire) {
  return {
      .wall = absl::Nanoseconds(wire.wall_ns()),
      .link_busy = absl::Nanoseconds(wire.link_busy_ns()),
      .copy_out_busy = absl::Nanoseconds(wire.copy_out_busy_ns()),
      .compute_busy = absl::Nanoseconds(wire.compute_busy_ns()),
      .weight_bytes = wire.weight_bytes(),
      .kv_bytes = wire.kv_bytes(),
      .act_bytes = wire.act_bytes(),
      .other_in_bytes = wire.other_in_bytes(),
      .write_back_bytes = wire.write_back_bytes(),
      .rebuilt_tokens = wire.rebuilt_tokens(),
      .mini_batches = wire.mini_batches(),
  };
}

absl::StatusOr<std::vector<TokenScore>> ScoresFromWire(
    const pb::SequenceResult& wire) {
  const int count = wire.score_log_probs_size();
  if (wire.score_top_tokens_size() != count ||
      wire.score_top_log_probs_size() != count) {
    return absl::InvalidArgumentError("are of several lengths");
  }
  std::vector<TokenScore> scores;
  scores.reserve(count);
  for (int i = 0; i < count; ++i) {
    if (wire.score_top_tokens(i) < 0) {
      return absl::InvalidArgumentError("have a negative id");
    }
    scores.push_back({.log_prob = wire.score_log_probs(i),
                      .top_token = wire.score_top_tokens(i),
                      .top_log_prob = wire.score_top_log_probs(i)});
  }
  return scores;
}

absl::StatusOr<std::vector<TopToken>> TopFromWire(
    const pb::SequenceResult& wire) {
  const int count = wire.top_tokens_size();
  if (count > kMaxTopLogProbs || wire.top_log_probs_size() != count) {
    return absl::InvalidArgumentError("are too many or of several lengths");
  }
  std::vector<TopToken> top;
  top.reserve(count);
  for (int i = 0; i < count; ++i) {
    if (wire.top_tokens(i) < 0) {
      return absl::InvalidArgumentError("have a negative id");
    }
    top.push_back(
        {.token = wire.top_tokens(i), .log_prob = wire.top_log_probs(i)});
  }
  return top;
}

}  // namespace

void StepResultToWire(const StepResult& result, pb::StepResult& wire) {
  wire.set_status_code(static_cast<int>(result.status.code()));
  wire.set_status_message(std::string{result.status.message()});
  for (const SequenceResult& sequence : result.sequences) {
    pb::SequenceResult& added = *wire.add_sequences();
    added.set_sequence(sequence.sequence.value());
    if (sequence.token >= 0) added.set_token(sequence.token);
    added.set_log_prob(sequence.log_prob);
    for (const TopToken& top : sequence.top) {
      added.add_top_tokens(top.token);
      added.add_top_log_probs(top.log_prob);
    }
    for (const TokenScore& score : sequence.scores) {
      added.add_score_log_probs(score.log_prob);
      added.add_score_top_tokens(score.top_token);
      added.add_score_top_log_probs(score.top_log_prob);
    }
  }
  StatsToWire(result.stats, *wire.mutable_stats());
}

absl::StatusOr<StepResult> StepResultFromWire(const Fence& fence,
                                              const pb::StepResult& wire) {
  if (wire.status_code() < 0 || wire.status_code() > kLastCode) {
    return InvalidFieldError(
        "status_code", absl::StrCat("unknown value ", wire.status_code()));
  }
  if (wire.status_code() != 0 && wire.sequences_size() > 0) {
    return InvalidFieldError("sequences", "beside a status that is not OK");
  }
  RETURN_IF_ERROR(CheckStats(wire.stats()));
  StepResult result{
      .fence = fence,
      .status = absl::Status(static_cast<absl::StatusCode>(wire.status_code()),
                             wire.status_message()),
      .stats = StatsFromWire(wire.stats()),
  };
  ASSIGN_OR_RETURN(result.stats.work,
                   WorkTotalsFromWire("stats.work", wire.stats().work()));
  result.sequences.reserve(wire.sequences_size());
  for (int i = 0; i < wire.sequences_size(); ++i) {
    const pb::SequenceResult& sequence = wire.sequences(i);
    if (sequence.has_token() && sequence.token() < 0) {
      return InvalidFieldError(absl::StrCat("sequences[", i, "].token"),
                               "is negative");
    }
    result.sequences.push_back({
        .sequence = SequenceId(sequence.sequence()),
        .token = sequence.has_token() ? sequence.token() : -1,
        .log_prob = sequence.log_prob(),
    });
    absl::StatusOr<std::vector<TokenScore>> scores = ScoresFromWire(sequence);
    if (!scores.ok()) {
      return InvalidFieldError(absl::StrCat("sequences[", i, "].scores"),
                               scores.status().message());
    }
    result.sequences.back().scores = *std::move(scores);
    absl::StatusOr<std::vector<TopToken>> top = TopFromWire(sequence);
    if (!top.ok()) {
      return InvalidFieldError(absl::StrCat("sequences[", i, "].top_tokens"),
                               top.status().message());
    }
    result.sequences.back().top = *std::move(top);
  }
  return result;
}

}  // namespace hybridserve
