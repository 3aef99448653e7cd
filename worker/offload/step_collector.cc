#include "worker/offload/step_collector.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/sampling_params.h"
#include "common/status_macros.h"
#include "glog/logging.h"

namespace hybridserve {

std::vector<SampledToken> SampledTokens(const IssuedStep& step,
                                        const StepResult& result) {
  std::vector<SampledToken> sampled;
  if (!result.status.ok()) return sampled;
  for (const SampledRow& sample : step.layout.samples) {
    const SequenceResult& sequence = result.sequences[sample.sequence];
    sampled.push_back({sequence.sequence, sequence.token});
  }
  return sampled;
}

void StepCollector::Start(ResultCallback on_result) {
  on_result_ = std::move(on_result);
  thread_ = std::thread([this] { Loop(); });
}

void StepCollector::Stop() {
  {
    const absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void StepCollector::Push(std::unique_ptr<IssuedStep> step) {
  const absl::MutexLock lock(&mutex_);
  queue_.push_back(std::move(step));
}

absl::StatusOr<std::vector<SampledToken>> StepCollector::Await(
    int64_t num_steps) {
  const absl::MutexLock lock(&mutex_);
  const auto done = [this, num_steps]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return done_ >= num_steps;
  };
  mutex_.Await(absl::Condition(&done));
  if (!device_status_.ok()) return device_status_;
  return std::exchange(sampled_, {});
}

void StepCollector::Loop() {
  const auto ready = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return stopping_ || !queue_.empty();
  };
  while (true) {
    std::unique_ptr<IssuedStep> step;
    {
      const absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(&ready));
      if (queue_.empty()) return;
      step = std::move(queue_.front());
      queue_.pop_front();
    }
    StepResult result = Collect(*step);
    {
      const absl::MutexLock lock(&mutex_);
      ++done_;
      if (step->ready != nullptr && !result.status.ok() &&
          device_status_.ok()) {
        device_status_ = result.status;
      }
      for (const SampledToken& token : SampledTokens(*step, result)) {
        sampled_.push_back(token);
      }
    }
    on_result_(std::move(result));
  }
}

StepResult StepCollector::Collect(const IssuedStep& step) {
  StepResult result = {.fence = step.fence, .status = step.status};
  if (!step.status.ok()) return result;
  if (step.ready != nullptr) {
    const absl::Status ready = step.ready->Synchronize();
    if (!ready.ok()) {
      result.status = absl::InternalError(
          absl::StrCat("the device failed: ", ready.message()));
      return result;
    }
  }
  for (const SequenceId id : step.sequences) {
    result.sequences.push_back({.sequence = id});
  }
  result.status = ReadOutputs(step, result);
  if (!result.status.ok()) {
    result.sequences.clear();
    return result;
  }
  result.stats = step.stats;
  AddTimes(step, result);
  return result;
}

absl::Status StepCollector::ReadOutputs(const IssuedStep& step,
                                        StepResult& result) {
  const StepLayout& layout = step.layout;
  if (!layout.samples.empty()) {
    const auto count = static_cast<int64_t>(layout.samples.size());
    const auto tokens =
        HostSpan<const int32_t>(workspace_.HostTokens(step.parity, count));
    const auto log_probs =
        HostSpan<const float>(workspace_.HostLogProbs(step.parity, count));
    for (int64_t i = 0; i < count; ++i) {
      if (tokens[i] < 0 || tokens[i] >= vocab_size_) {
        return absl::InternalError(
            absl::StrCat("the device sampled the id ", tokens[i]));
      }
      SequenceResult& sequence = result.sequences[layout.samples[i].sequence];
      sequence.token = tokens[i];
      sequence.log_prob = log_probs[i];
    }
    RETURN_IF_ERROR(ReadTop(step, result));
  }
  if (layout.scores.empty()) return absl::OkStatus();
  const auto state = HostSpan<const float>(workspace_.HostScoreState(
      step.parity, static_cast<int64_t>(layout.scores.size())));
  for (size_t i = 0; i < layout.scores.size(); ++i) {
    const double max = state[4 * i];
    const double sum = state[4 * i + 1];
    const double target = state[4 * i + 2];
    const auto top_token = static_cast<int32_t>(state[4 * i + 3]);
    if (top_token < 0 || top_token >= vocab_size_) {
      return absl::InternalError(
          absl::StrCat("the device's likeliest id is ", top_token));
    }
    result.sequences[layout.scores[i].sequence].scores.push_back(
        {.log_prob = static_cast<float>(target - max - std::log(sum)),
         .top_token = top_token,
         .top_log_prob = static_cast<float>(max - max - std::log(sum))});
  }
  return absl::OkStatus();
}

absl::Status StepCollector::ReadTop(const IssuedStep& step,
                                    StepResult& result) {
  const StepLayout& layout = step.layout;
  if (!layout.wants_top()) return absl::OkStatus();
  const auto count = static_cast<int64_t>(layout.samples.size());
  const auto tokens =
      HostSpan<const int32_t>(workspace_.HostTopTokens(step.parity, count));
  const auto log_probs =
      HostSpan<const float>(workspace_.HostTopLogProbs(step.parity, count));
  for (int64_t i = 0; i < count; ++i) {
    const SampledRow& sample = layout.samples[i];
    SequenceResult& sequence = result.sequences[sample.sequence];
    for (int64_t k = 0; k < sample.params.top_log_probs; ++k) {
      const int64_t at = i * kMaxTopLogProbs + k;
      if (tokens[at] == -1) break;  // The vocabulary has no more.
      if (tokens[at] < 0 || tokens[at] >= vocab_size_) {
        return absl::InternalError(
            absl::StrCat("the device's likely id is ", tokens[at]));
      }
      sequence.top.push_back({.token = tokens[at], .log_prob = log_probs[at]});
    }
  }
  return absl::OkStatus();
}

void StepCollector::AddTimes(const IssuedStep& step, StepResult& result) {
  const absl::Time now = clock_.Now();
  result.stats.wall = now - std::max(step.begun, last_end_);
  last_end_ = now;
  const auto since = [](const Stream& stream, absl::Duration& before) {
    const absl::Duration total = stream.busy();
    return total - std::exchange(before, total);
  };
  result.stats.compute_busy = since(*streams_.compute, compute_before_);
  result.stats.link_busy = since(*streams_.copy_in, copy_in_before_);
  result.stats.copy_out_busy = since(*streams_.copy_out, copy_out_before_);
  const PerWorkKind<WorkTotals> streams[] = {streams_.compute->work(),
                                             streams_.copy_in->work(),
                                             streams_.copy_out->work()};
  for (const WorkKind kind : kAllWorkKinds) {
    WorkTotals total;
    for (const PerWorkKind<WorkTotals>& work : streams) total += work[kind];
    WorkTotals& done = result.stats.work[kind];
    done = total;
    done -= std::exchange(work_before_[kind], total);
  }
}

}  // namespace hybridserve
