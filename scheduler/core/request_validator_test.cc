#include "scheduler/core/request_validator.h"

#include <functional>
#include <limits>
#include <string>

#include "common/status_details.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

ModelConfig Config() {
  ModelConfig config;
  config.vocab_size = 100;
  config.max_positions = 32;
  return config;
}

GenerationRequest Good() {
  GenerationRequest request;
  request.prompt = {1, 2, 3};
  request.max_tokens = 29;
  return request;
}

TEST(ValidateRequestTest, TakesWhatTheModelTakes) {
  EXPECT_THAT(ValidateRequest(Good(), Config()), IsOk());
  GenerationRequest request = Good();
  request.prompt = {0, 99};
  request.sampling = {.temperature = 0.7,
                      .top_k = 100,
                      .top_p = 1,
                      .presence_penalty = -2,
                      .frequency_penalty = 2,
                      .repetition_penalty = 0.1,
                      .logit_bias = {{0, 100}, {99, -100}}};
  request.max_tokens = request.min_tokens = 1;
  request.stop_token_ids = {5, 99};
  EXPECT_THAT(ValidateRequest(request, Config()), IsOk());
  GenerationRequest longest = Good();
  longest.prompt.assign(32, 7);
  longest.score_targets.assign(32, -1);
  EXPECT_THAT(ValidateRequest(longest, Config()), IsOk());
}

TEST(ValidateRequestTest, NamesTheBadField) {
  constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();
  using Request = GenerationRequest;
  const struct {
    std::string field;
    std::function<void(Request&)> spoil;
  } cases[] = {
      {"prompt", [](Request& r) { r.prompt.clear(); }},
      {"prompt", [](Request& r) { r.prompt.assign(32, 1); }},
      {"prompt", [](Request& r) { r.prompt.assign(33, 1); }},
      {"token_ids", [](Request& r) { r.prompt[1] = 100; }},
      {"token_ids", [](Request& r) { r.prompt[1] = -1; }},
      {"score_targets", [](Request& r) { r.score_targets = {1}; }},
      {"score_targets",
       [](Request& r) {
         r.score_targets = {1, -2, 3};
       }},
      {"score_targets",
       [](Request& r) {
         r.score_targets = {1, 100, 3};
       }},
      {"sampling.temperature", [](Request& r) { r.sampling.temperature = -1; }},
      {"sampling.top_k", [](Request& r) { r.sampling.top_k = 101; }},
      {"stopping.max_tokens", [](Request& r) { r.max_tokens = 0; }},
      {"stopping.max_tokens", [](Request& r) { r.max_tokens = 30; }},
      {"stopping.max_tokens", [=](Request& r) { r.max_tokens = kHuge; }},
      {"stopping.min_tokens", [](Request& r) { r.min_tokens = -1; }},
      {"stopping.min_tokens", [](Request& r) { r.min_tokens = 30; }},
      {"stopping.conditions", [](Request& r) { r.stop_token_ids = {100}; }},
  };
  for (const auto& test_case : cases) {
    GenerationRequest request = Good();
    test_case.spoil(request);
    const absl::Status status = ValidateRequest(request, Config());
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                                 test_case.field + ":"));
    EXPECT_EQ(FieldOf(status), test_case.field) << status;
  }
}

}  // namespace
}  // namespace hybridserve
