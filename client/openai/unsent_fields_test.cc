#include "client/openai/unsent_fields.h"

#include <functional>
#include <string>

#include "common/status_details.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace hybridserve::openai {
namespace {

v1::Model SmallModel() {
  v1::Model model;
  model.mutable_shape()->set_vocab_size(100);
  model.mutable_limits()->set_max_stop_conditions(2);
  model.mutable_limits()->set_max_stop_text_bytes(3);
  return model;
}

TEST(CheckUnsentFieldsTest, TakesWhatTheServerTakes) {
  EXPECT_THAT(CheckUnsentFields({}, SmallModel()), IsOk());
  GenerationOptions options;
  options.min_tokens = 0;
  options.temperature = 0;
  options.top_k = 100;
  options.top_p = 0.5;
  options.presence_penalty = -2;
  options.frequency_penalty = 2;
  options.repetition_penalty = 0.5;
  options.logit_bias = {{0, 100}, {99, -100}};
  options.stop = {"abc", "d"};
  EXPECT_THAT(CheckUnsentFields(options, SmallModel()), IsOk());
}

TEST(CheckUnsentFieldsTest, NamesTheBadField) {
  using Options = GenerationOptions;
  const struct {
    std::string field;
    std::function<void(Options&)> spoil;
  } cases[] = {
      {"sampling.temperature", [](Options& o) { o.temperature = -1; }},
      {"sampling.top_k", [](Options& o) { o.top_k = 101; }},
      {"sampling.top_p", [](Options& o) { o.top_p = 0; }},
      {"sampling.presence_penalty", [](Options& o) { o.presence_penalty = 3; }},
      {"sampling.frequency_penalty",
       [](Options& o) { o.frequency_penalty = -3; }},
      {"sampling.repetition_penalty",
       [](Options& o) { o.repetition_penalty = 0; }},
      {"sampling.logit_bias", [](Options& o) { o.logit_bias[100] = 1; }},
      {"sampling.logit_bias", [](Options& o) { o.logit_bias[4294967295] = 1; }},
      {"response.top_log_probs", [](Options& o) { o.top_log_probs = 21; }},
      {"stopping.min_tokens", [](Options& o) { o.min_tokens = 1; }},
      {"stopping.conditions",
       [](Options& o) {
         o.stop = {"a", "b", "c"};
       }},
      {"stopping.conditions[1].text",
       [](Options& o) {
         o.stop = {"a", ""};
       }},
      {"stopping.conditions[0].text", [](Options& o) { o.stop = {"abcd"}; }},
  };
  for (const auto& [field, spoil] : cases) {
    SCOPED_TRACE(field);
    GenerationOptions options;
    spoil(options);
    const absl::Status status = CheckUnsentFields(options, SmallModel());
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_EQ(FieldOf(status), field) << status;
  }
}

}  // namespace
}  // namespace hybridserve::openai
