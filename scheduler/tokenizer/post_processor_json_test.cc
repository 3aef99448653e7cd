#include "scheduler/tokenizer/post_processor_json.h"

#include <vector>

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using testing::ElementsAre;

absl::StatusOr<std::vector<int32_t>> Process(absl::string_view config) {
  const auto document = JsonDocument::Parse("f", config);
  EXPECT_THAT(document, IsOk());
  const auto processor = ParsePostProcessor(document->root());
  if (!processor.ok()) return processor.status();
  return processor->Process({7, 8});
}

TEST(PostProcessorJsonTest, ReadsEachKind) {
  EXPECT_THAT(Process("null"), IsOkAndHolds(ElementsAre(7, 8)));
  EXPECT_THAT(Process(R"({"type": "ByteLevel", "trim_offsets": false})"),
              IsOkAndHolds(ElementsAre(7, 8)));
  EXPECT_THAT(Process(R"({"type": "RobertaProcessing", "sep": ["</s>", 2],
                          "cls": ["<s>", 0], "trim_offsets": true,
                          "add_prefix_space": false})"),
              IsOkAndHolds(ElementsAre(0, 7, 8, 2)));
  EXPECT_THAT(Process(R"({"type": "Sequence", "processors": [
                  {"type": "ByteLevel"},
                  {"type": "TemplateProcessing",
                   "single": [{"SpecialToken": {"id": "B", "type_id": 0}},
                              {"Sequence": {"id": "A", "type_id": 0}}],
                   "pair": [],
                   "special_tokens": {"B": {"id": "B", "ids": [1, 3],
                                            "tokens": ["b", "c"]}}}]})"),
              IsOkAndHolds(ElementsAre(1, 3, 7, 8)));
}

TEST(PostProcessorJsonTest, RefusesTheRest) {
  const struct {
    const char* config;
    const char* message;
  } cases[] = {
      {R"({"type": "Magic"})", "f: type \"Magic\" is not supported"},
      {R"({"type": "BertProcessing", "sep": ["s"], "cls": ["c", 1]})",
       "f: sep: expected [token, id]"},
      {R"({"type": "BertProcessing", "sep": ["s", -1], "cls": ["c", 1]})",
       "f: sep[1]: outside [0, 2147483647]"},
      {R"({"type": "TemplateProcessing", "special_tokens": {},
           "single": [{"SpecialToken": {"id": "B"}}]})",
       "f: single[0].SpecialToken.id: \"B\" is not among special_tokens"},
      {R"({"type": "TemplateProcessing", "special_tokens": {},
           "single": [{"Sequence": {"id": "B"}}]})",
       "f: single[0].Sequence.id: expected \"A\""},
      {R"({"type": "TemplateProcessing", "special_tokens": {},
           "single": [{}]})",
       "f: single[0]: expected either"},
  };
  for (const auto& test : cases) {
    EXPECT_THAT(Process(test.config),
                StatusIs(absl::StatusCode::kInvalidArgument, test.message));
  }
}

// Each step doubles the text.
TEST(PostProcessorJsonTest, RefusesResultsThatExplode) {
  const std::string twice =
      R"({"type": "TemplateProcessing", "special_tokens": {},
          "single": [{"Sequence": {"id": "A"}}, {"Sequence": {"id": "A"}}]})";
  std::string list = twice;
  for (int i = 0; i < 40; ++i) list += "," + twice;
  EXPECT_THAT(Process(R"({"type": "Sequence", "processors": [)" + list + "]}"),
              StatusIs(absl::StatusCode::kInvalidArgument, "too long"));
}

}  // namespace
}  // namespace hybridserve
