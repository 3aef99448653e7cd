#include "scheduler/rpc/request_metrics.h"

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"

namespace hybridserve {
namespace {

constexpr char kPrefix[] = "hybridserve_";

class RequestMetricsTest : public testing::Test {
 protected:
  // What a scrape says of `series`, "name{label="value"}"; nothing: it has it
  // not.
  std::optional<double> Read(const std::string& series) const {
    const std::string page =
        prometheus::TextSerializer().Serialize(metrics_.registry()->Collect());
    const std::string line = absl::StrCat("\n", kPrefix, series, " ");
    const size_t at = page.find(line);
    if (at == std::string::npos) return std::nullopt;
    return std::stod(page.substr(at + line.size()));
  }

  RequestMetrics metrics_;
};

TEST_F(RequestMetricsTest, CountsTokensAsTheyCome) {
  const auto series = metrics_.TokensOf({.model = "m", .tenant = "a"});
  EXPECT_EQ(Read("generation_tokens_total{model_name=\"m\"}"), 0);
  metrics_.CountPrompt({.model = "m", .tenant = "a"}, 5);
  series.Count(std::nullopt);
  series.Count(absl::Milliseconds(20));
  series.Count(absl::Seconds(2));
  EXPECT_EQ(metrics_.prompt_tokens(), 5);
  EXPECT_EQ(metrics_.completion_tokens(), 3);
  EXPECT_EQ(Read("generation_tokens_total{model_name=\"m\"}"), 3);
  EXPECT_EQ(Read("tenant_generation_tokens_total{tenant=\"a\"}"), 3);
  EXPECT_EQ(Read("tenant_prompt_tokens_total{tenant=\"a\"}"), 5);
  EXPECT_EQ(Read("inter_token_latency_seconds_count{model_name=\"m\"}"), 2);
  EXPECT_EQ(
      Read("inter_token_latency_seconds_bucket{model_name=\"m\",le=\"0.03\"}"),
      1);
}

TEST_F(RequestMetricsTest, TimesOfAFinishedRequest) {
  metrics_.CountFinished({.model = "m"}, FinishReason::kLength,
                         {.prompt_tokens = 5,
                          .completion_tokens = 5,
                          .queue_time = absl::Seconds(1),
                          .first_token_time = absl::Seconds(3),
                          .total_time = absl::Seconds(11)});
  const auto sum = [&](const std::string& name) {
    return Read(name + "_sum{model_name=\"m\"}");
  };
  EXPECT_EQ(sum("request_queue_time_seconds"), 1);
  EXPECT_EQ(sum("time_to_first_token_seconds"), 3);
  EXPECT_EQ(sum("request_prefill_time_seconds"), 2);
  EXPECT_EQ(sum("request_decode_time_seconds"), 8);
  EXPECT_EQ(sum("request_time_per_output_token_seconds"), 2);
  EXPECT_EQ(sum("e2e_request_latency_seconds"), 11);
}

TEST_F(RequestMetricsTest, TimesThatNeverCameAreNotObserved) {
  metrics_.CountFinished({.model = "m"}, FinishReason::kCancelled,
                         {.total_time = absl::Seconds(1)});
  EXPECT_EQ(Read("e2e_request_latency_seconds_count{model_name=\"m\"}"), 1);
  for (const char* const name :
       {"request_queue_time_seconds", "time_to_first_token_seconds",
        "request_prefill_time_seconds", "request_decode_time_seconds",
        "request_time_per_output_token_seconds"}) {
    EXPECT_EQ(Read(absl::StrCat(name, "_count{model_name=\"m\"}")),
              std::nullopt)
        << name;
  }
}

TEST_F(RequestMetricsTest, OutcomesByTenant) {
  const RequestLabels labels = {.model = "m", .tenant = "a"};
  metrics_.CountFinished(labels, FinishReason::kStop, {});
  metrics_.CountFinished(labels, FinishReason::kStop, {});
  metrics_.CountFinished(labels, FinishReason::kCancelled, {});
  metrics_.CountFailed(labels, absl::AbortedError("gone"));
  metrics_.CountRejected("b", absl::ResourceExhaustedError("full"));
  metrics_.CountRejected(std::nullopt, absl::UnauthenticatedError("who?"));
  const auto outcome = [&](const std::string& tenant, const std::string& what) {
    return Read("tenant_requests_total{outcome=\"" + what + "\",tenant=\"" +
                tenant + "\"}");
  };
  EXPECT_EQ(outcome("a", "stop"), 2);
  EXPECT_EQ(outcome("a", "cancelled"), 1);
  EXPECT_EQ(outcome("a", "failed"), 1);
  EXPECT_EQ(outcome("b", "rejected"), 1);
  EXPECT_EQ(outcome("", "rejected"), std::nullopt);
  EXPECT_EQ(metrics_.rejected(), 2);
  EXPECT_EQ(Read("request_failed_total{code=\"ABORTED\",model_name=\"m\"}"), 1);
  EXPECT_EQ(Read("request_rejected_total{code=\"UNAUTHENTICATED\"}"), 1);
}

TEST_F(RequestMetricsTest, TenantsBeyondTheLimitShareASeries) {
  for (int i = 0; i < RequestMetrics::kMaxTenants + 20; ++i) {
    metrics_.CountPrompt({.model = "m", .tenant = absl::StrCat("t", i)}, 1);
  }
  EXPECT_EQ(Read("tenant_prompt_tokens_total{tenant=\"t99\"}"), 1);
  EXPECT_EQ(Read("tenant_prompt_tokens_total{tenant=\"t100\"}"), std::nullopt);
  EXPECT_EQ(Read("tenant_prompt_tokens_total{tenant=\"other\"}"), 20);
}

}  // namespace
}  // namespace hybridserve
