#include "scheduler/rpc/call_identity.h"

#include <map>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::SizeIs;

using Metadata = std::multimap<grpc::string_ref, grpc::string_ref>;

constexpr char kTraceparent[] =
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

std::string RequestIdOf(const Metadata& metadata, const std::string& field) {
  return IdentifyCall(metadata, field).request_id;
}

TEST(CallIdentityTest, TheFieldNamesTheRequest) {
  EXPECT_EQ(RequestIdOf({}, "mine"), "mine");
  EXPECT_EQ(RequestIdOf({{"x-request-id", "proxy"}}, "mine"), "mine");
  EXPECT_EQ(RequestIdOf({}, std::string(128, 'x')), std::string(128, 'x'));
}

TEST(CallIdentityTest, OneIsMadeWhereNoneIsGiven) {
  EXPECT_THAT(RequestIdOf({}, ""), MatchesRegex("hs-[0-9a-f]{16}"));
  EXPECT_NE(RequestIdOf({}, ""), RequestIdOf({}, ""));
}

TEST(CallIdentityTest, TheMetadatasBeginsTheOneThatIsMade) {
  const Metadata metadata = {{"x-request-id", "proxy"}};
  EXPECT_THAT(RequestIdOf(metadata, ""), MatchesRegex("proxy-[0-9a-f]{16}"));
  EXPECT_NE(RequestIdOf(metadata, ""), RequestIdOf(metadata, ""));
  EXPECT_THAT(
      RequestIdOf({{"x-request-id", grpc::string_ref(kTraceparent)}}, ""),
      MatchesRegex("00-.*-01-[0-9a-f]{16}"));
}

TEST(CallIdentityTest, WhatIsMalformedIsIgnored) {
  const std::string longest(111, 'x');
  const std::string too_long(112, 'x');
  EXPECT_THAT(RequestIdOf({{"x-request-id", longest}}, ""), SizeIs(128));
  for (const Metadata& bad :
       {Metadata{{"x-request-id", too_long}}, Metadata{{"x-request-id", "a b"}},
        Metadata{{"x-request-id", "a\nb"}}, Metadata{{"x-request-id", ""}},
        Metadata{{"x-request-id", "a"}, {"x-request-id", "b"}}}) {
    EXPECT_THAT(RequestIdOf(bad, ""), MatchesRegex("hs-[0-9a-f]{16}"));
  }
  // A bad field is refused elsewhere, and is not for logs.
  EXPECT_THAT(RequestIdOf({}, "a b"), MatchesRegex("hs-[0-9a-f]{16}"));
  EXPECT_THAT(RequestIdOf({}, std::string(129, 'x')),
              MatchesRegex("hs-[0-9a-f]{16}"));
}

TEST(CallIdentityTest, TheTraceIsTheMetadatas) {
  EXPECT_EQ(IdentifyCall({{"traceparent", kTraceparent}}, "").trace_id,
            "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_THAT(IdentifyCall({}, "").trace_id, IsEmpty());
  EXPECT_THAT(IdentifyCall({{"traceparent", "00-00"}}, "").trace_id, IsEmpty());
  EXPECT_THAT(
      IdentifyCall(
          {{"traceparent", kTraceparent}, {"traceparent", kTraceparent}}, "")
          .trace_id,
      IsEmpty());
}

}  // namespace
}  // namespace hybridserve
