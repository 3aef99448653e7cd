#include "scheduler/rpc/request_metrics.h"

#include "scheduler/rpc/finish_reason_name.h"

namespace hybridserve {
namespace {

// Seconds. A streamed step takes from milliseconds to many seconds.
const prometheus::Histogram::BucketBoundaries& Buckets() {
  static const auto& buckets = *new prometheus::Histogram::BucketBoundaries{
      0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000};
  return buckets;
}

using HistogramFamily = prometheus::Family<prometheus::Histogram>;

prometheus::Histogram& SeriesOf(const std::string& model,
                                HistogramFamily& family) {
  return family.Add({{"model_name", model}}, Buckets());
}

void Observe(HistogramFamily& family, const std::string& model,
             absl::Duration duration) {
  if (duration == absl::InfiniteDuration()) return;  // It never came.
  SeriesOf(model, family).Observe(absl::ToDoubleSeconds(duration));
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

void RequestMetrics::TokenSeries::Count(
    std::optional<absl::Duration> gap) const {
  tokens_->Increment();
  tenant_tokens_->Increment();
  if (gap.has_value()) gaps_->Observe(absl::ToDoubleSeconds(*gap));
}

RequestMetrics::RequestMetrics()
    : registry_(std::make_shared<prometheus::Registry>()),
      finished_(AddCounters("request_success_total",
                            "Requests that ended well, by finished_reason.")),
      failed_(AddCounters("request_failed_total",
                          "Accepted requests that ended by an error.")),
      rejected_(
          AddCounters("request_rejected_total", "Requests that were refused.")),
      prompt_tokens_(
          AddCounters("prompt_tokens_total",
                      "Prompt tokens of requests whose prompt has run.")),
      completion_tokens_(AddCounters("generation_tokens_total",
                                     "Tokens generated for requests.")),
      queue_seconds_(AddHistograms("request_queue_time_seconds",
                                   "From acceptance to the first step.")),
      first_token_seconds_(AddHistograms("time_to_first_token_seconds",
                                         "From acceptance to the first "
                                         "token.")),
      inter_token_seconds_(AddHistograms("inter_token_latency_seconds",
                                         "From one token of a request to its "
                                         "next.")),
      per_token_seconds_(
          AddHistograms("request_time_per_output_token_seconds",
                        "From one token to the next, a request's average.")),
      prefill_seconds_(AddHistograms("request_prefill_time_seconds",
                                     "From the first step to the first "
                                     "token.")),
      decode_seconds_(AddHistograms("request_decode_time_seconds",
                                    "From the first token to the end.")),
      total_seconds_(AddHistograms("e2e_request_latency_seconds",
                                   "From acceptance to the end.")),
      tenant_requests_(AddCounters("tenant_requests_total",
                                   "A tenant's requests by how they ended.")),
      tenant_prompt_tokens_(
          AddCounters("tenant_prompt_tokens_total",
                      "Prompt tokens of a tenant's requests whose prompt has "
                      "run.")),
      tenant_completion_tokens_(
          AddCounters("tenant_generation_tokens_total",
                      "Tokens generated for a tenant's requests.")) {}

RequestMetrics::TokenSeries RequestMetrics::TokensOf(
    const RequestLabels& labels) {
  TokenSeries series;
  series.tokens_ = &completion_tokens_.Add({{"model_name", labels.model}});
  series.tenant_tokens_ = &tenant_completion_tokens_.Add(
      {{"tenant", tenants_.LabelOf(labels.tenant)}});
  series.gaps_ = &SeriesOf(labels.model, inter_token_seconds_);
  return series;
}

void RequestMetrics::CountPrompt(const RequestLabels& labels, int64_t tokens) {
  const auto count = static_cast<double>(tokens);
  prompt_tokens_.Add({{"model_name", labels.model}}).Increment(count);
  tenant_prompt_tokens_.Add({{"tenant", tenants_.LabelOf(labels.tenant)}})
      .Increment(count);
}

void RequestMetrics::CountFinished(const RequestLabels& labels,
                                   FinishReason reason, const Usage& usage) {
  const std::string& model = labels.model;
  finished_
      .Add({{"model_name", model},
            {"finished_reason", std::string{Name(reason)}}})
      .Increment();
  CountOutcome(labels.tenant, Name(reason));
  Observe(queue_seconds_, model, usage.queue_time);
  Observe(first_token_seconds_, model, usage.first_token_time);
  Observe(total_seconds_, model, usage.total_time);
  if (usage.first_token_time == absl::InfiniteDuration()) return;
  Observe(prefill_seconds_, model, usage.first_token_time - usage.queue_time);
  const absl::Duration decode = usage.total_time - usage.first_token_time;
  Observe(decode_seconds_, model, decode);
  if (usage.completion_tokens > 1) {
    Observe(per_token_seconds_, model, decode / (usage.completion_tokens - 1));
  }
}

void RequestMetrics::CountFailed(const RequestLabels& labels,
                                 const absl::Status& status) {
  failed_
      .Add({{"model_name", labels.model},
            {"code", absl::StatusCodeToString(status.code())}})
      .Increment();
  CountOutcome(labels.tenant, "failed");
}

void RequestMetrics::CountRejected(const std::optional<std::string>& tenant,
                                   const absl::Status& status) {
  rejected_.Add({{"code", absl::StatusCodeToString(status.code())}})
      .Increment();
  if (tenant.has_value()) CountOutcome(*tenant, "rejected");
}

int64_t RequestMetrics::rejected() const { return SumOf(rejected_); }
int64_t RequestMetrics::prompt_tokens() const { return SumOf(prompt_tokens_); }
int64_t RequestMetrics::completion_tokens() const {
  return SumOf(completion_tokens_);
}

RequestMetrics::CounterFamily& RequestMetrics::AddCounters(
    const std::string& name, const std::string& help) {
  return prometheus::BuildCounter()
      .Name("hybridserve_" + name)
      .Help(help)
      .Register(*registry_);
}

RequestMetrics::HistogramFamily& RequestMetrics::AddHistograms(
    const std::string& name, const std::string& help) {
  return prometheus::BuildHistogram()
      .Name("hybridserve_" + name)
      .Help(help)
      .Register(*registry_);
}

void RequestMetrics::CountOutcome(const std::string& tenant,
                                  absl::string_view outcome) {
  tenant_requests_
      .Add({{"tenant", tenants_.LabelOf(tenant)},
            {"outcome", std::string{outcome}}})
      .Increment();
}

}  // namespace hybridserve
