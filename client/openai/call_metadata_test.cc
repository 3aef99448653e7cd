#include "client/openai/call_metadata.h"

#include <string>

#include "absl/strings/match.h"
#include "common/status_details.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve::openai {
namespace {

using ::testing::MatchesRegex;

TEST(CallMetadataTest, PassesOnWhatIsGood) {
  const auto metadata = MakeCallMetadata({.authorization = "bearer  sk-1 ",
                                          .request_id = "mine",
                                          .traceparent = "00-abc-01"});
  ASSERT_THAT(metadata, IsOk());
  EXPECT_EQ(metadata->authorization, "Bearer sk-1");
  EXPECT_EQ(metadata->request_id, "mine");
  EXPECT_EQ(metadata->traceparent, "00-abc-01");
  EXPECT_EQ(metadata->tenant, "");
}

TEST(CallMetadataTest, MakesAnIdWhereThereIsNone) {
  const std::string long_id(112, 'x');
  for (const std::string& id :
       {std::string(), std::string("a b"), std::string("\xc3\xa9"), long_id}) {
    const auto metadata = MakeCallMetadata({.request_id = id});
    ASSERT_THAT(metadata, IsOk());
    EXPECT_THAT(metadata->request_id, MatchesRegex("req-[0-9a-f]{16}"));
    EXPECT_EQ(metadata->authorization, "");
  }
  EXPECT_NE(MakeId("x"), MakeId("x"));
}

TEST(CallMetadataTest, WhatIsNoKeyIsNobodys) {
  for (const std::string& header :
       {std::string("Bearer "), std::string("Bearer a b"),
        std::string("Bearer \x01"), std::string("Bearer \xc3\xa9"),
        "Bearer " + std::string(4097, 'x')}) {
    EXPECT_THAT(MakeCallMetadata({.authorization = header}),
                StatusIs(absl::StatusCode::kUnauthenticated));
  }
  // Other schemes are not passed on.
  const auto basic = MakeCallMetadata({.authorization = "Basic eDp5"});
  ASSERT_THAT(basic, IsOk());
  EXPECT_EQ(basic->authorization, "");
}

TEST(CallMetadataTest, BadTracesAreDropped) {
  const std::string long_trace(257, '0');
  for (const std::string& trace : {std::string("a b"), long_trace}) {
    const auto metadata = MakeCallMetadata({.traceparent = trace});
    ASSERT_THAT(metadata, IsOk());
    EXPECT_EQ(metadata->traceparent, "");
  }
}

TEST(CallMetadataTest, UsersThatCanBeTenants) {
  EXPECT_THAT(TenantOfUser("alice"), IsOkAndHolds("alice"));
  EXPECT_EQ(FieldOf(TenantOfUser("a b").status()), "user");
  EXPECT_EQ(FieldOf(TenantOfUser("").status()), "user");
}

}  // namespace
}  // namespace hybridserve::openai
