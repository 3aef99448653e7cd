#include "scheduler/rpc/authenticator.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using absl::StatusCode;

constexpr Action kActions[] = {Action::kInfer, Action::kLook, Action::kControl,
                               Action::kWork};

ApiKeys KeysOf(const std::string& text) { return ApiKeys::Parse(text).value(); }

// A call with this metadata.
absl::StatusOr<Caller> Check(
    const Authenticator& authenticator, Action action,
    const std::vector<std::pair<std::string, std::string>>& fields) {
  Authenticator::Metadata metadata;
  for (const auto& [name, value] : fields) metadata.emplace(name, value);
  return authenticator.Check(metadata, action);
}

absl::StatusOr<Caller> CheckKey(const Authenticator& authenticator,
                                Action action, const std::string& key) {
  return Check(authenticator, action, {{"authorization", "Bearer " + key}});
}

TEST(AuthenticatorTest, WithoutKeysEverybodyMayAndSaysWhoseACallIs) {
  const Authenticator authenticator;
  for (const Action action : kActions) {
    EXPECT_THAT(Check(authenticator, action, {}), IsOk());
    EXPECT_THAT(CheckKey(authenticator, action, "any"), IsOk());
  }
  EXPECT_EQ(Check(authenticator, Action::kInfer, {})->tenant, "");
  EXPECT_EQ(
      Check(authenticator, Action::kInfer, {{"x-hybridserve-tenant", "alice"}})
          ->tenant,
      "alice");
  EXPECT_EQ(
      Check(authenticator, Action::kInfer, {{"x-hybridserve-tenant", "alice"}})
          ->limits,
      TenantLimits());
}

TEST(AuthenticatorTest, TheTenantsNameIsChecked) {
  const Authenticator authenticator;
  for (const char* name : {"", "a b", "a/b", "*", "\xff"}) {
    EXPECT_THAT(
        Check(authenticator, Action::kInfer, {{"x-hybridserve-tenant", name}}),
        StatusIs(StatusCode::kInvalidArgument, "x-hybridserve-tenant"))
        << name;
  }
  EXPECT_THAT(
      Check(authenticator, Action::kInfer,
            {{"x-hybridserve-tenant", "a"}, {"x-hybridserve-tenant", "b"}}),
      StatusIs(StatusCode::kInvalidArgument));
}

TEST(AuthenticatorTest, WithKeysACallNeedsOne) {
  Authenticator authenticator;
  authenticator.Replace(KeysOf("k1\nk2"));
  for (const Action action : kActions) {
    EXPECT_THAT(CheckKey(authenticator, action, "k1"), IsOk());
    EXPECT_THAT(CheckKey(authenticator, action, "k2"), IsOk());
    for (const char* wrong : {"", "k", "k12", "K1", " k1", "k3"}) {
      EXPECT_THAT(CheckKey(authenticator, action, wrong),
                  StatusIs(StatusCode::kUnauthenticated))
          << wrong;
    }
    EXPECT_THAT(Check(authenticator, action, {}),
                StatusIs(StatusCode::kUnauthenticated));
  }
  EXPECT_THAT(
      Check(authenticator, Action::kInfer, {{"authorization", "bearer k1"}}),
      IsOk());
  EXPECT_THAT(
      Check(authenticator, Action::kInfer, {{"authorization", "Basic k1"}}),
      StatusIs(StatusCode::kUnauthenticated));
}

TEST(AuthenticatorTest, AKeyIsGoodForItsRolesOnly) {
  Authenticator authenticator;
  authenticator.Replace(
      KeysOf("i roles=inference\nc roles=control\n"
             "ic roles=inference,control\nw roles=worker"));
  const auto codes = [&](const std::string& key) {
    std::vector<StatusCode> result;
    for (const Action action : kActions) {
      result.push_back(CheckKey(authenticator, action, key).status().code());
    }
    return result;
  };
  constexpr auto kYes = StatusCode::kOk;
  constexpr auto kNo = StatusCode::kPermissionDenied;
  EXPECT_THAT(codes("i"), testing::ElementsAre(kYes, kYes, kNo, kNo));
  EXPECT_THAT(codes("c"), testing::ElementsAre(kNo, kYes, kYes, kNo));
  EXPECT_THAT(codes("ic"), testing::ElementsAre(kYes, kYes, kYes, kNo));
  EXPECT_THAT(codes("w"), testing::ElementsAre(kNo, kNo, kNo, kYes));
}

TEST(AuthenticatorTest, TheTenantIsTheKeysUnlessTheKeyLetsTheCallSay) {
  Authenticator authenticator;
  authenticator.Replace(
      KeysOf("a tenant=alice max_requests=3\nn roles=inference\n"
             "g tenant=*\n- tenant=bob max_priority=1"));
  const auto check = [&](const std::string& key, const std::string& tenant) {
    std::vector<std::pair<std::string, std::string>> fields = {
        {"authorization", "Bearer " + key}};
    if (!tenant.empty()) fields.emplace_back("x-hybridserve-tenant", tenant);
    return Check(authenticator, Action::kInfer, fields);
  };
  for (const char* named : {"", "alice"}) {
    const auto alice = check("a", named);
    ASSERT_THAT(alice, IsOk());
    EXPECT_EQ(alice->tenant, "alice");
    EXPECT_EQ(alice->limits, TenantLimits{.max_live_requests = 3});
  }
  EXPECT_THAT(check("a", "bob"), StatusIs(StatusCode::kPermissionDenied));
  EXPECT_THAT(check("a", "b b"), StatusIs(StatusCode::kInvalidArgument));

  EXPECT_EQ(check("n", "")->tenant, "");
  EXPECT_THAT(check("n", "alice"), StatusIs(StatusCode::kPermissionDenied));

  EXPECT_EQ(check("g", "")->tenant, "");
  const auto bob = check("g", "bob");
  ASSERT_THAT(bob, IsOk());
  EXPECT_EQ(bob->tenant, "bob");
  EXPECT_EQ(bob->limits, TenantLimits{.max_priority = 1});
  EXPECT_EQ(check("g", "carol")->tenant, "carol");
  EXPECT_EQ(check("g", "alice")->limits, TenantLimits{.max_live_requests = 3});
}

TEST(AuthenticatorTest, NewKeysReplaceTheOldOnes) {
  Authenticator authenticator;
  authenticator.Replace(KeysOf("old\nboth"));
  authenticator.Replace(KeysOf("new\nboth roles=worker"));
  EXPECT_THAT(CheckKey(authenticator, Action::kInfer, "old"),
              StatusIs(StatusCode::kUnauthenticated));
  EXPECT_THAT(CheckKey(authenticator, Action::kInfer, "new"), IsOk());
  EXPECT_THAT(CheckKey(authenticator, Action::kInfer, "both"),
              StatusIs(StatusCode::kPermissionDenied));
}

}  // namespace
}  // namespace hybridserve
