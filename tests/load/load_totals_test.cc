#include "tests/load/load_totals.h"

#include <vector>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "common/status_details.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

TEST(SummarizeTest, QuantilesAreOfTheValues) {
  std::vector<double> seconds;
  for (int i = 100; i >= 1; --i) seconds.push_back(i);
  const nlohmann::json summary = Summarize(seconds);
  EXPECT_EQ(summary["count"], 100);
  EXPECT_EQ(summary["mean"], 50.5);
  EXPECT_EQ(summary["p50"], 50);
  EXPECT_EQ(summary["p90"], 90);
  EXPECT_EQ(summary["p99"], 99);
  EXPECT_EQ(summary["max"], 100);
}

TEST(SummarizeTest, TheHistogramHasAll) {
  const nlohmann::json summary = Summarize({0.0005, 0.001, 0.0015, 3});
  int64_t count = 0;
  for (const auto& bin : summary["histogram"]) {
    count += bin["count"].get<int64_t>();
  }
  EXPECT_EQ(count, 4);
  EXPECT_EQ(summary["histogram"][0]["count"], 2);
  EXPECT_EQ(summary["histogram"][0]["at_most_s"], 0.001);
  EXPECT_EQ(Summarize({})["count"], 0);
}

TEST(LoadTotalsTest, EachRequestIsCountedOnce) {
  const absl::Time start = absl::Now();
  LoadTotals totals(start);
  for (int i = 0; i < 4; ++i) totals.CountSent(absl::Milliseconds(i));
  const LoadRequest request = {.first_sent = start};
  LoadOutcome outcome = {.sent = start + absl::Seconds(1),
                         .first_token = start + absl::Seconds(2),
                         .ended = start + absl::Seconds(3),
                         .prompt_tokens = 5,
                         .tokens = 7};
  outcome.accepted = true;
  totals.CountTokens(7, outcome.ended);
  totals.Count(request, outcome, false);

  LoadOutcome refused = {
      .status = WithRetryDelay(absl::ResourceExhaustedError("full"),
                               absl::Seconds(2)),
      .sent = start,
      .ended = start + absl::Milliseconds(10)};
  totals.Count(request, refused, true);
  refused.status = absl::UnavailableError("no worker");
  totals.Count(request, refused, false);

  LoadOutcome cancelled = {.status = absl::CancelledError(),
                           .cancelled = true,
                           .sent = start,
                           .ended = start};
  totals.Count(request, cancelled, false);
  // Accepted, so no refusal.
  LoadOutcome lost = {.status = absl::UnavailableError("gone"),
                      .accepted = true,
                      .sent = start,
                      .ended = start,
                      .wrong = true};
  totals.Count(request, lost, false);

  const nlohmann::json json = totals.ToJson();
  EXPECT_EQ(json["sent"], 4);
  EXPECT_EQ(json["finished"], 1);
  EXPECT_EQ(json["refused"], 1);
  EXPECT_EQ(json["cancelled"], 1);
  EXPECT_EQ(json["failed"], 1);
  EXPECT_EQ(json["retries"], 1);
  EXPECT_EQ(json["refusals"], 2);
  EXPECT_EQ(json["refusals_without_retry_info"], 1);
  EXPECT_EQ(json["retry_delay"]["max"], 2);
  EXPECT_EQ(json["wrong"], 1);
  EXPECT_EQ(json["prompt_tokens"], 5);
  EXPECT_EQ(json["completion_tokens"], 7);
  EXPECT_EQ(json["latency"]["max"], 2);
  EXPECT_EQ(json["total_latency"]["max"], 3);
  EXPECT_EQ(json["first_token"]["max"], 1);
  EXPECT_EQ(json["timeline"]["tokens"], (std::vector<int>{0, 0, 0, 7}));
  EXPECT_EQ(json["timeline"]["refusals"], (std::vector<int>{2, 0, 0, 0}));
  EXPECT_EQ(json["codes"]["UNAVAILABLE"], 2);
}

}  // namespace
}  // namespace hybridserve
