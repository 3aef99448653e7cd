#include "scheduler/rpc/message_bytes.h"

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "common/status_details.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "hybridserve/v1/inference_service.pb.h"

namespace hybridserve {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

absl::Status Parse(const std::string& bytes, v1::GenerateRequest& message) {
  const grpc::Slice slice(bytes);
  return ParseMessage(grpc::ByteBuffer(&slice, 1), message);
}

absl::Status Parse(const std::string& bytes) {
  v1::GenerateRequest message;
  return Parse(bytes, message);
}

// Field `number`, length-delimited, below 16 and 2^14 bytes.
std::string Field(int number, const std::string& content) {
  std::string bytes(1, static_cast<char>(number << 3 | 2));
  size_t size = content.size();
  while (size >= 0x80) {
    bytes.push_back(static_cast<char>((size & 0x7f) | 0x80));
    size >>= 7;
  }
  bytes.push_back(static_cast<char>(size));
  return bytes + content;
}

std::string Repeated(const std::string& bytes, int64_t times) {
  std::string result;
  for (int64_t i = 0; i < times; ++i) result += bytes;
  return result;
}

TEST(MessageBytesTest, WhatIsSerializedParses) {
  v1::GenerateRequest request;
  request.set_prompt(
      "gr\xc3\xb6\xc3\x9f"
      "er");
  request.mutable_stopping()->add_conditions()->set_text(".");
  v1::GenerateRequest parsed;
  ASSERT_THAT(Parse(request.SerializeAsString(), parsed), IsOk());
  EXPECT_EQ(parsed.SerializeAsString(), request.SerializeAsString());
}

TEST(MessageBytesTest, NamesTheFieldAndOffsetOfBadText) {
  const absl::Status status = Parse(Field(3, "ab\xff"));
  EXPECT_THAT(status, StatusIs(kInvalid, "offset 2"));
  EXPECT_EQ(FieldOf(status), "prompt");
  // stopping.conditions[].text
  EXPECT_EQ(FieldOf(Parse(Field(6, Field(3, Field(1, "\x80"))))),
            "stopping.conditions.text");
}

TEST(MessageBytesTest, WhatIsNoMessageIsRefused) {
  EXPECT_THAT(Parse("\xff\xff\xff"), StatusIs(kInvalid));
  EXPECT_THAT(Parse(Field(3, "abc").substr(0, 3)), StatusIs(kInvalid));
}

TEST(MessageBytesTest, TokenIdsAreManyAndNotWithoutEnd) {
  v1::GenerateRequest request;
  auto& ids = *request.mutable_token_ids()->mutable_ids();
  ids.Resize(200'000, 300);
  EXPECT_THAT(Parse(request.SerializeAsString()), IsOk());
  ids.Resize(1 << 20, 1);
  EXPECT_THAT(Parse(request.SerializeAsString()),
              StatusIs(kInvalid, "more than"));
}

TEST(MessageBytesTest, ABombOfSmallPartsIsRefusedBeforeItIsParsed) {
  // Each takes two bytes here and far more in memory.
  EXPECT_THAT(Parse(Field(6, Repeated(Field(3, ""), 1000))), IsOk());
  EXPECT_THAT(Parse(Field(6, Repeated(Field(3, ""), 2000))),
              StatusIs(kInvalid, "more than"));
  // Fields that nobody knows are kept, too.
  const std::string unknown("\x78\x01", 2);  // 15: varint 1
  EXPECT_THAT(Parse(Repeated(unknown, 1000)), IsOk());
  EXPECT_THAT(Parse(Repeated(unknown, 2 << 20)),
              StatusIs(kInvalid, "more than"));
  const std::string group("\x7b\x7c", 2);  // 15: an empty group
  EXPECT_THAT(Parse(group), StatusIs(kInvalid, "group"));
}

}  // namespace
}  // namespace hybridserve
