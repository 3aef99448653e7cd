#include "scheduler/tokenizer/pre_tokenizer_json.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

absl::StatusOr<PreTokenizer> Parse(absl::string_view config) {
  const auto document = JsonDocument::Parse("f", config);
  EXPECT_THAT(document, IsOk());
  return ParsePreTokenizer(document->root());
}

const std::string kMetaspaceStep =
    R"({"type": "Metaspace", "replacement": "\u2581"})";

// That each kind splits as it should: tokenizer_golden_test.
TEST(PreTokenizerJsonTest, RefusesWhatIsNotByteLevel) {
  const std::string byte_level = R"({"type": "ByteLevel"})";
  const std::string split =
      R"({"type": "Split", "pattern": {"String": "-"}, "behavior": "Removed"})";
  const auto sequence = [](absl::string_view steps) {
    return absl::StrCat(R"({"type": "Sequence", "pretokenizers": [)", steps,
                        "]}");
  };
  EXPECT_THAT(Parse(byte_level), IsOk());
  EXPECT_THAT(Parse(sequence(split + "," + byte_level)), IsOk());
  EXPECT_THAT(Parse(sequence(sequence(split) + "," + byte_level)), IsOk());

  const struct {
    std::string config;
    const char* message;
  } cases[] = {
      {"null", "f: only byte-level tokenizers are supported"},
      {split, "f: only byte-level tokenizers are supported"},
      {sequence(""), "only byte-level tokenizers are supported"},
      {sequence(byte_level + "," + split),
       "f: pretokenizers[1]: a step after ByteLevel"},
      {R"({"type": "Whitespace"})", "f: type \"Whitespace\" is not supported"},
      {sequence(kMetaspaceStep + "," + byte_level),
       "f: Metaspace beside ByteLevel"},
      {R"({"type": "ByteLevel", "add_prefix_space": 1})",
       "f: add_prefix_space: expected true or false, got number"},
      {R"({"type": "ByteLevel", "speed": 1})", "f: speed: unknown field"},
      {R"({"type": "Split", "pattern": {"String": "-"}, "behavior": "Cut"})",
       "f: behavior: unknown behavior \"Cut\""},
      {R"({"type": "Split", "pattern": {"Regex": "("}, "behavior": "Removed"})",
       "f: pattern.Regex: regular expression: missing closing"},
  };
  for (const auto& test : cases) {
    EXPECT_THAT(Parse(test.config),
                StatusIs(absl::StatusCode::kInvalidArgument, test.message));
  }
}

TEST(PreTokenizerJsonTest, RefusesWhatIsNotOfCharacters) {
  const auto parse = [](absl::string_view config) {
    const auto document = JsonDocument::Parse("f", config);
    EXPECT_THAT(document, IsOk());
    return ParseCharacterPreTokenizer(document->root()).status();
  };
  const auto metaspace = [](absl::string_view more) {
    return absl::StrCat(R"({"type": "Metaspace", "replacement": "\u2581")",
                        more, "}");
  };
  for (const std::string& config :
       {std::string("null"), std::string(R"({"type": "Digits"})"),
        metaspace(""), metaspace(R"(, "add_prefix_space": true)"),
        metaspace(R"(, "add_prefix_space": false, "prepend_scheme": "never")"),
        metaspace(R"(, "prepend_scheme": "first", "split": false)")}) {
    EXPECT_THAT(parse(config), IsOk()) << config;
  }
  const struct {
    std::string config;
    const char* message;
  } cases[] = {
      {R"({"type": "ByteLevel"})", "f: ByteLevel beside byte_fallback"},
      {R"({"type": "Metaspace"})", "f: \"replacement\" is missing"},
      {R"({"type": "Metaspace", "replacement": "_"})",
       "f: replacement: only \"\u2581\" is supported"},
      {metaspace(R"(, "prepend_scheme": "last")"),
       "f: unknown prepend_scheme \"last\""},
      {metaspace(R"(, "add_prefix_space": false)"),
       "f: add_prefix_space contradicts prepend_scheme"},
      {absl::StrCat(R"({"type": "Sequence", "pretokenizers": [)", metaspace(""),
                    ",", metaspace(""), "]}"),
       "f: pretokenizers[1]: only one Metaspace is supported"},
  };
  for (const auto& test : cases) {
    EXPECT_THAT(parse(test.config),
                StatusIs(absl::StatusCode::kInvalidArgument, test.message));
  }
}

TEST(PreTokenizerJsonTest, RefusesEndlessSequences) {
  std::string steps;
  for (int i = 0; i < 100; ++i) steps += R"({"type": "Digits"},)";
  EXPECT_THAT(Parse(absl::StrCat(R"({"type": "Sequence", "pretokenizers": [)",
                                 steps, R"({"type": "ByteLevel"}]})")),
              StatusIs(absl::StatusCode::kInvalidArgument, "too many steps"));
}

}  // namespace
}  // namespace hybridserve
