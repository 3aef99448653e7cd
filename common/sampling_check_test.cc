#include "common/sampling_check.h"

#include <functional>
#include <limits>
#include <string>

#include "common/status_details.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

constexpr int64_t kVocabulary = 100;

TEST(CheckSamplingTest, TakesDefaultsAndBounds) {
  EXPECT_THAT(CheckSampling({}, kVocabulary), IsOk());
  EXPECT_THAT(CheckSampling({.temperature = 0.7,
                             .top_k = kVocabulary,
                             .top_p = 1,
                             .presence_penalty = -2,
                             .frequency_penalty = 2,
                             .repetition_penalty = 0.1,
                             .logit_bias = {{0, 100}, {99, -100}}},
                            kVocabulary),
              IsOk());
}

TEST(CheckSamplingTest, NamesTheBadField) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const struct {
    std::string field;
    std::function<void(SamplingParams&)> spoil;
  } cases[] = {
      {"sampling.temperature", [](SamplingParams& s) { s.temperature = -1; }},
      {"sampling.temperature",
       [=](SamplingParams& s) { s.temperature = kNan; }},
      {"sampling.temperature",
       [=](SamplingParams& s) { s.temperature = kInf; }},
      {"sampling.top_p", [](SamplingParams& s) { s.top_p = 0; }},
      {"sampling.top_p", [](SamplingParams& s) { s.top_p = 1.01; }},
      {"sampling.top_p", [=](SamplingParams& s) { s.top_p = kNan; }},
      {"sampling.top_k", [](SamplingParams& s) { s.top_k = -1; }},
      {"sampling.top_k", [](SamplingParams& s) { s.top_k = 101; }},
      {"response.top_log_probs",
       [](SamplingParams& s) { s.top_log_probs = 21; }},
      {"response.top_log_probs",
       [](SamplingParams& s) { s.top_log_probs = -1; }},
      {"sampling.presence_penalty",
       [](SamplingParams& s) { s.presence_penalty = 2.01; }},
      {"sampling.presence_penalty",
       [=](SamplingParams& s) { s.presence_penalty = kNan; }},
      {"sampling.frequency_penalty",
       [](SamplingParams& s) { s.frequency_penalty = -2.01; }},
      {"sampling.repetition_penalty",
       [](SamplingParams& s) { s.repetition_penalty = 0; }},
      {"sampling.repetition_penalty",
       [=](SamplingParams& s) { s.repetition_penalty = kInf; }},
      {"sampling.logit_bias",
       [](SamplingParams& s) {
         s.logit_bias = {{100, 1}};
       }},
      {"sampling.logit_bias",
       [](SamplingParams& s) {
         s.logit_bias = {{1, 100.5}};
       }},
      {"sampling.logit_bias",
       [](SamplingParams& s) { s.logit_bias.resize(513); }},
      {"sampling.logit_bias",
       [](SamplingParams& s) {
         s.logit_bias = {{-1, 1}};
       }},
  };
  for (const auto& [field, spoil] : cases) {
    SamplingParams sampling;
    spoil(sampling);
    const absl::Status status = CheckSampling(sampling, kVocabulary);
    EXPECT_THAT(status,
                StatusIs(absl::StatusCode::kInvalidArgument, field + ":"));
    EXPECT_EQ(FieldOf(status), field) << status;
  }
}

}  // namespace
}  // namespace hybridserve
