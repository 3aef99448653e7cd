#include "scheduler/rpc/request_metrics.h"

#include "absl/time/time.h"
#include "glog/logging.h"

namespace hybridserve {
namespace {

// Seconds. A streamed step takes from milliseconds to many seconds.
const prometheus::Histogram::BucketBoundaries& Buckets() {
  static const auto& buckets = *new prometheus::Histogram::BucketBoundaries{
      0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000};
  return buckets;
}

const char* NameOf(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStop:
      return "stop";
    case FinishReason::kLength:
      return "length";
    case FinishReason::kCancelled:
      return "cancelled";
  }
  LOG(FATAL) << "no such reason: " << static_cast<int>(reason);
}

void Observe(prometheus::Family<prometheus::Histogram>& family,
             const std::string& model, absl::Duration duration) {
  if (duration == absl::InfiniteDuration()) return;  // It never came.
  family.Add({{"model_name", model}}, Buckets())
      .Observe(absl::ToDoubleSeconds(duration));
}

// Of all label values.
int64_t SumOf(const prometheus::Family<prometheus::Counter>& family) {
  double sum = 0;
  for (const prometheus::MetricFamily& collected : family.Collect()) {
    for (const prometheus::ClientMetric& metric : collected.metric) {
      sum += metric.counter.value;
    }
  }
  return static_cast<int64_t>(sum);
}

}  // namespace

RequestMetrics::RequestMetrics()
    : registry_(std::make_shared<prometheus::Registry>()),
      finished_(AddCounters("hybridserve_request_success_total",
                            "Requests that ended well, by finished_reason.")),
      failed_(AddCounters("hybridserve_request_failed_total",
                          "Accepted requests that ended by an error.")),
      rejected_(AddCounters("hybridserve_request_rejected_total",
                            "Requests that were refused.")),
      prompt_tokens_(AddCounters("hybridserve_prompt_tokens_total",
                                 "Prompt tokens of requests that ended well.")),
      completion_tokens_(
          AddCounters("hybridserve_generation_tokens_total",
                      "Tokens produced for requests that ended well.")),
      queue_seconds_(AddHistograms("hybridserve_request_queue_time_seconds",
                                   "From acceptance to the first step.")),
      first_token_seconds_(
          AddHistograms("hybridserve_time_to_first_token_seconds",
                        "From acceptance to the first token.")),
      inter_token_seconds_(
          AddHistograms("hybridserve_inter_token_latency_seconds",
                        "From one token to the next, per request on average.")),
      total_seconds_(AddHistograms("hybridserve_e2e_request_latency_seconds",
                                   "From acceptance to the end.")) {}

void RequestMetrics::CountFinished(const std::string& model,
                                   FinishReason reason, const Usage& usage) {
  finished_.Add({{"model_name", model}, {"finished_reason", NameOf(reason)}})
      .Increment();
  prompt_tokens_.Add({{"model_name", model}})
      .Increment(static_cast<double>(usage.prompt_tokens));
  completion_tokens_.Add({{"model_name", model}})
      .Increment(static_cast<double>(usage.completion_tokens));
  Observe(queue_seconds_, model, usage.queue_time);
  Observe(first_token_seconds_, model, usage.first_token_time);
  Observe(total_seconds_, model, usage.total_time);
  if (usage.completion_tokens > 1) {
    Observe(inter_token_seconds_, model,
            (usage.total_time - usage.first_token_time) /
                (usage.completion_tokens - 1));
  }
}

void RequestMetrics::CountRejected(const absl::Status& status) {
  rejected_.Add({{"code", absl::StatusCodeToString(status.code())}})
      .Increment();
}

void RequestMetrics::CountFailed(const std::string& model,
                                 const absl::Status& status) {
  failed_
      .Add({{"model_name", model},
            {"code", absl::StatusCodeToString(status.code())}})
      .Increment();
}

int64_t RequestMetrics::rejected() const { return SumOf(rejected_); }
int64_t RequestMetrics::prompt_tokens() const { return SumOf(prompt_tokens_); }
int64_t RequestMetrics::completion_tokens() const {
  return SumOf(completion_tokens_);
}

RequestMetrics::CounterFamily& RequestMetrics::AddCounters(
    const std::string& name, const std::string& help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(*registry_);
}

RequestMetrics::HistogramFamily& RequestMetrics::AddHistograms(
    const std::string& name, const std::string& help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(
      *registry_);
}

}  // namespace hybridserve
