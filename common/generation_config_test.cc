#include "common/generation_config.h"

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

TEST(GenerationConfigTest, ReadsWhatIsThere) {
  const GenerationConfig config = ParseGenerationConfig(R"({
        "_from_model_config": true, "bos_token_id": 2,
        "do_sample": true, "temperature": 0.7, "top_k": 50, "top_p": 0.9,
        "repetition_penalty": 1.2, "max_new_tokens": 64, "eos_token_id": [2, 50118],
        "transformers_version": "4.40.0"})")
                                      .value();
  EXPECT_THAT(config.do_sample, Optional(true));
  EXPECT_THAT(config.temperature, Optional(0.7));
  EXPECT_THAT(config.top_k, Optional(50));
  EXPECT_THAT(config.top_p, Optional(0.9));
  EXPECT_THAT(config.repetition_penalty, Optional(1.2));
  EXPECT_THAT(config.max_new_tokens, Optional(64));
  EXPECT_THAT(config.eos_token_ids, ElementsAre(2, 50118));
}

TEST(GenerationConfigTest, LeavesTheRestUnset) {
  const GenerationConfig config =
      ParseGenerationConfig(R"({"top_p": 1, "temperature": null})").value();
  EXPECT_EQ(config.do_sample, std::nullopt);
  EXPECT_EQ(config.temperature, std::nullopt);
  EXPECT_EQ(config.top_k, std::nullopt);
  EXPECT_THAT(config.top_p, Optional(1.0));
  EXPECT_EQ(config.max_new_tokens, std::nullopt);
  EXPECT_THAT(config.eos_token_ids, IsEmpty());
  EXPECT_THAT(ParseGenerationConfig(R"({"eos_token_id": 2})")->eos_token_ids,
              ElementsAre(2));
}

TEST(GenerationConfigTest, NamesFileAndField) {
  const struct {
    std::string json;
    std::string message;
  } cases[] = {
      {"", "generation_config.json: not valid JSON"},
      {"[]", "generation_config.json: must hold a JSON object"},
      {R"({"do_sample": 1})", "do_sample: must be true or false; is 1"},
      {R"({"temperature": 0})", "temperature: must be above 0"},
      {R"({"temperature": "hot"})", "temperature: must be a number"},
      {R"({"top_k": -1})", "top_k: must be an integer of at least 0; is -1"},
      {R"({"top_p": 1.01})", "top_p: must be above 0 and at most 1"},
      {R"({"top_p": 0})", "top_p: must be above 0"},
      {R"({"repetition_penalty": 0})", "repetition_penalty: must be above 0"},
      {R"({"max_new_tokens": 0})", "max_new_tokens: must be an integer of"},
      {R"({"eos_token_id": [2, -1]})", "eos_token_id: must be an integer in"},
      {R"({"eos_token_id": "x"})", "eos_token_id: must be an integer in"},
  };
  for (const auto& c : cases) {
    EXPECT_THAT(ParseGenerationConfig(c.json),
                StatusIs(absl::StatusCode::kInvalidArgument, c.message))
        << c.json;
  }
}

}  // namespace
}  // namespace hybridserve
