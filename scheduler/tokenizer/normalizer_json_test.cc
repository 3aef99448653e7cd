#include "scheduler/tokenizer/normalizer_json.h"

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

absl::StatusOr<std::string> Normalize(absl::string_view config,
                                      absl::string_view text) {
  const auto document = JsonDocument::Parse("f", config);
  EXPECT_THAT(document, IsOk());
  const auto normalizer = ParseNormalizer(document->root());
  if (!normalizer.ok()) return normalizer.status();
  return normalizer->Normalize(text);
}

TEST(NormalizerJsonTest, ReadsEachKind) {
  EXPECT_THAT(Normalize("null", "e\u0301"), IsOkAndHolds("e\u0301"));
  EXPECT_THAT(Normalize(R"({"type": "NFC"})", "e\u0301"),
              IsOkAndHolds("\u00E9"));
  EXPECT_THAT(Normalize(R"({"type": "Sequence", "normalizers": [
                  {"type": "NFKC"}, {"type": "Lowercase"},
                  {"type": "Strip", "strip_left": true, "strip_right": false},
                  {"type": "Prepend", "prepend": "_"},
                  {"type": "Replace", "pattern": {"String": " "},
                   "content": "+"}]})",
                        "  \uFF21 b "),
              IsOkAndHolds("_a+b+"));
  EXPECT_THAT(Normalize(R"({"type": "Replace", "pattern": {"Regex": "\\s+"},
                            "content": " "})",
                        "a \n b"),
              IsOkAndHolds("a b"));
}

TEST(NormalizerJsonTest, RefusesTheRest) {
  const struct {
    const char* config;
    const char* message;
  } cases[] = {
      {R"({"type": "Precompiled", "precompiled_charsmap": ""})",
       "f: type \"Precompiled\" is not supported"},
      {R"({"type": "NFC", "extra": 1})", "f: extra: unknown field"},
      {R"({"type": 3})", "f: type: expected a string"},
      {R"({})", "\"type\" is missing"},
      {R"("NFC")", "expected an object"},
      {R"({"type": "Sequence", "normalizers": [{"type": "Nmt"}]})",
       "f: normalizers[0]: type \"Nmt\""},
      {R"({"type": "Replace", "pattern": {"Regex": "\\w"}, "content": ""})",
       "f: pattern.Regex: regular expression: this escape at byte 0"},
      {R"({"type": "Replace", "pattern": {"String": ""}, "content": ""})",
       "f: pattern.String: is empty"},
      {R"({"type": "Replace", "pattern": "a", "content": ""})", "f: pattern"},
  };
  for (const auto& test : cases) {
    EXPECT_THAT(Normalize(test.config, ""),
                StatusIs(absl::StatusCode::kInvalidArgument, test.message));
  }
}

}  // namespace
}  // namespace hybridserve
