#include "worker/rpc/status_server.h"

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/testing/http_get.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::HasSubstr;

TEST(StatusServerTest, CountsWhatStepsCost) {
  const auto server = StatusServer::Create(
      {.metrics_listen = "127.0.0.1:0", .model_name = "m"});
  ASSERT_THAT(server, IsOk());
  EXPECT_EQ((*server)->address(), "");
  (*server)->SetProgress({.done_bytes = 1, .total_bytes = 4});
  (*server)->CountStep({.stats = {.link_busy = absl::Seconds(2),
                                  .act_bytes = 70,
                                  .write_back_bytes = 5}});
  (*server)->CountStep(
      {.status = absl::InternalError("broken"), .stats = {.act_bytes = 7}});
  (*server)->SetServing(true);
  const std::string page = HttpGet((*server)->metrics_address(), "/metrics");
  EXPECT_THAT(page, HasSubstr("hybridserve_model_load_ratio{"
                              "model_name=\"m\"} 0.25"));
  EXPECT_THAT(page, HasSubstr("hybridserve_worker_up{model_name=\"m\"} 1"));
  EXPECT_THAT(page, HasSubstr("hybridserve_steps_total{model_name=\"m\"} 2"));
  EXPECT_THAT(page, HasSubstr("hybridserve_plans_refused_total{"
                              "model_name=\"m\"} 1"));
  EXPECT_THAT(page, HasSubstr("hybridserve_offload_bytes_total{dir=\"in\","
                              "kind=\"act\",model_name=\"m\"} 77"));
  EXPECT_THAT(page, HasSubstr("hybridserve_offload_busy_seconds_total{"
                              "model_name=\"m\",stream=\"link\"} 2"));
}

TEST(StatusServerTest, ListensWhereItIsTold) {
  const auto server = StatusServer::Create({.listen = "127.0.0.1:0"});
  ASSERT_THAT(server, IsOk());
  EXPECT_THAT((*server)->address(), HasSubstr("127.0.0.1:"));
  EXPECT_THAT(StatusServer::Create({.listen = (*server)->address()}),
              StatusIs(absl::StatusCode::kUnavailable, "--listen"));
  EXPECT_THAT(StatusServer::Create({.listen = "127.0.0.1:70000"}),
              StatusIs(absl::StatusCode::kInvalidArgument, "--listen"));
}

}  // namespace
}  // namespace hybridserve
