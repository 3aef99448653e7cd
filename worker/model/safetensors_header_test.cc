#include "worker/model/safetensors_header.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/dtype.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/model/testing/safetensors_text.h"

namespace hybridserve {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

absl::StatusOr<std::vector<SafetensorsEntry>> Parse(absl::string_view bytes) {
  return ParseSafetensorsHeader(absl::MakeConstSpan(bytes.data(), bytes.size()),
                                "f.safetensors");
}

// A file of one tensor "t" with these fields and eight bytes of data.
std::string OneTensor(absl::string_view fields) {
  return SafetensorsBytes(absl::StrCat("{\"t\": {", fields, "}}"), "01234567");
}

TEST(SafetensorsHeaderTest, FindsEveryTensor) {
  const std::string bytes =
      SafetensorsBytes({{"b", DType::kBFloat16, {2, 3}, std::string(12, 'b')},
                        {"a", DType::kFloat32, {1}, "aaaa"},
                        {"empty", DType::kFloat16, {5, 0}, ""},
                        {"scalar", DType::kFloat16, {}, "hh"}});
  const std::vector<SafetensorsEntry> entries = Parse(bytes).value();
  ASSERT_EQ(entries.size(), 4U);
  EXPECT_EQ(entries[0].name, "b");
  EXPECT_EQ(entries[0].dtype, DType::kBFloat16);
  EXPECT_THAT(entries[0].shape, ElementsAre(2, 3));
  EXPECT_EQ(bytes.substr(entries[0].offset, entries[0].bytes),
            std::string(12, 'b'));
  EXPECT_EQ(bytes.substr(entries[1].offset, entries[1].bytes), "aaaa");
  EXPECT_EQ(entries[2].name, "empty");
  EXPECT_EQ(entries[2].bytes, 0);
  EXPECT_EQ(entries[3].name, "scalar");
  EXPECT_THAT(entries[3].shape, IsEmpty());
}

TEST(SafetensorsHeaderTest, AcceptsPaddingAndNoTensors) {
  EXPECT_THAT(Parse(SafetensorsBytes("{}      ", "")), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(Parse(SafetensorsBytes("{\"__metadata__\": {\"a\": \"b\"}}", "")),
              IsOkAndHolds(IsEmpty()));
}

TEST(SafetensorsHeaderTest, RefusesEveryTruncation) {
  const std::string whole =
      SafetensorsBytes({{"a", DType::kFloat32, {2}, "aaaaaaaa"},
                        {"b", DType::kFloat32, {1}, "bbbb"}});
  ASSERT_THAT(Parse(whole), IsOk());
  for (size_t size = 0; size < whole.size(); ++size) {
    ASSERT_THAT(Parse(absl::string_view(whole).substr(0, size)),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         testing::AllOf(StartsWith("f.safetensors: "),
                                        HasSubstr("truncated"))))
        << size;
  }
}

TEST(SafetensorsHeaderTest, RefusesWhatIsDamagedAndSaysWhatAndWhy) {
  const std::string deep(200'000, '[');
  const struct {
    std::string bytes;
    std::string message;
  } cases[] = {
      {"hello, this is a text file", "not a safetensors file: header of"},
      {std::string(8, '\xff') + "{}",
       "header of 18446744073709551615 bytes; the limit is 100000000"},
      {SafetensorsBytes("", ""), "header: not valid JSON"},
      {SafetensorsBytes("[]", ""), "header: must be a JSON object"},
      {SafetensorsBytes("{\"t\xff\": 1}", ""), "UTF-8"},
      {SafetensorsBytes(deep, ""), "nested deeper"},
      {SafetensorsBytes("{\"t\": 1, \"t\": 2}", ""), "\"t\" occurs twice"},
      {SafetensorsBytes("{\"t\": 1}", ""), "tensor t: must hold a JSON"},
      {SafetensorsBytes("{\"__metadata__\": [1]}", ""), "__metadata__"},
      {SafetensorsBytes("{\"__metadata__\": {\"a\": 1}}", ""), "__metadata__"},
      {SafetensorsBytes("{}", "x"), "1 bytes after the last tensor"},
      {OneTensor(R"("shape": [2], "data_offsets": [0, 8])"),
       "tensor t: dtype: missing"},
      {OneTensor(R"("dtype": "I64", "shape": [1], "data_offsets": [0, 8])"),
       "tensor t: dtype: \"I64\" is not supported"},
      {OneTensor(R"("dtype": 32, "shape": [2], "data_offsets": [0, 8])"),
       "tensor t: dtype: must be a string"},
      {OneTensor(R"("dtype": "F32", "data_offsets": [0, 8])"),
       "tensor t: shape: missing"},
      {OneTensor(R"("dtype": "F32", "shape": 2, "data_offsets": [0, 8])"),
       "tensor t: shape: must be a list"},
      {OneTensor(R"("dtype": "F32", "shape": [-2], "data_offsets": [0, 8])"),
       "tensor t: shape: must be an integer of at least 0; is -2"},
      {OneTensor(R"("dtype": "F32", "shape": [2.0], "data_offsets": [0, 8])"),
       "tensor t: shape: must be an integer"},
      {OneTensor(R"("dtype": "F32", "shape": [9223372036854775808],
                    "data_offsets": [0, 8])"),
       "tensor t: shape: must be an integer"},
      {OneTensor(R"("dtype": "F32", "shape": [9223372036854775807, 2],
                    "data_offsets": [0, 8])"),
       "tensor t: shape: its size overflows"},
      // 2^62 * 4 + 8 would wrap around to 8.
      {OneTensor(R"("dtype": "F32", "shape": [4611686018427387906],
                    "data_offsets": [0, 8])"),
       "tensor t: shape: its size overflows"},
      {OneTensor(R"("dtype": "F32", "shape": [1,1,1,1,1,1,1,1,2],
                    "data_offsets": [0, 8])"),
       "tensor t: shape: must be a list of at most 8 integers"},
      {OneTensor(R"("dtype": "F32", "shape": [3], "data_offsets": [0, 8])"),
       "tensor t: data_offsets: span 8 bytes; shape and dtype need 12"},
      {OneTensor(R"("dtype": "F32", "shape": [2])"),
       "tensor t: data_offsets: missing"},
      {OneTensor(R"("dtype": "F32", "shape": [2], "data_offsets": [8, 0])"),
       "tensor t: data_offsets: must be two integers, the first not above"},
      {OneTensor(R"("dtype": "F32", "shape": [2], "data_offsets": [0])"),
       "tensor t: data_offsets: must be two integers"},
      {OneTensor(R"("dtype": "F32", "shape": [2], "data_offsets": [-8, 0])"),
       "tensor t: data_offsets: must be an integer of at least 0"},
      {OneTensor(R"("dtype": "F32", "shape": [2], "data_offsets": [8, 16])"),
       "tensor t: truncated: ends at byte 16 of the data, which has 8"},
      {OneTensor(R"("dtype": "F32", "shape": [0],
           "data_offsets": [9223372036854775807, 9223372036854775807])"),
       "tensor t: truncated: ends at byte 9223372036854775807"},
      {OneTensor(R"("dtype": "F32", "shape": [1], "data_offsets": [4, 8])"),
       "tensor t: data_offsets: begins at byte 4, after a gap"},
      {SafetensorsBytes(
           R"({"t": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
               "u": {"dtype": "F32", "shape": [1], "data_offsets": [2, 6]}})",
           "012345"),
       "tensor u: data_offsets: begins at byte 2, inside another tensor"},
  };
  for (const auto& c : cases) {
    EXPECT_THAT(Parse(c.bytes),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         testing::AllOf(StartsWith("f.safetensors: "),
                                        HasSubstr(c.message))));
  }
}

TEST(SafetensorsHeaderTest, QuotesStrangeNamesOnOneShortLine) {
  const std::string name = "a\\n" + std::string(10'000, 'x');
  const absl::Status status =
      Parse(SafetensorsBytes(absl::StrCat("{\"", name, "\": {}}"), ""))
          .status();
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kInvalidArgument, "tensor a\\nxxxx"));
  EXPECT_LT(status.message().size(), 200U);
}

// Property: no single flipped bit of a header makes a file be read beyond its
// bytes.
TEST(SafetensorsHeaderTest, FlippedBitsNeverLeaveTheFile) {
  const std::string whole =
      SafetensorsBytes({{"a", DType::kFloat32, {2}, "aaaaaaaa"},
                        {"b", DType::kBFloat16, {1, 2}, "bbbb"}});
  for (size_t bit = 0; bit < 8 * (whole.size() - 12); ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    const auto entries = Parse(damaged);
    if (!entries.ok()) continue;
    for (const SafetensorsEntry& entry : *entries) {
      ASSERT_GE(entry.offset, 8);
      ASSERT_LE(entry.offset + entry.bytes,
                static_cast<int64_t>(damaged.size()))
          << bit;
    }
  }
}

}  // namespace
}  // namespace hybridserve
