#include "scheduler/rpc/api_keys.h"

#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/sha256.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsNull;
using ::testing::Not;
using ::testing::NotNull;

TEST(ApiKeysTest, AKeyAloneOnItsLineMayDoEverything) {
  const auto keys = ApiKeys::Parse("# ours\n\n  k1 \r\nk2=\n");
  ASSERT_THAT(keys, IsOk());
  EXPECT_EQ(keys->size(), 2);
  for (const char* name : {"k1", "k2="}) {
    const ApiKey* key = keys->Find(name);
    ASSERT_THAT(key, NotNull()) << name;
    EXPECT_TRUE(key->inference && key->control && key->worker);
    EXPECT_EQ(key->tenant, "");
    EXPECT_FALSE(key->names_tenant);
  }
  for (const char* name : {"", "k", "k11", "# ours", " k1"}) {
    EXPECT_THAT(keys->Find(name), IsNull()) << name;
  }
}

TEST(ApiKeysTest, OptionsSayWhatAKeyMayDoAndForWhom) {
  const auto keys = ApiKeys::Parse(
      "a tenant=alice\n"
      "b\troles=inference,control   tenant=bob\n"
      "w roles=worker\n"
      "g tenant=* roles=inference\n");
  ASSERT_THAT(keys, IsOk());
  const ApiKey& a = *keys->Find("a");
  EXPECT_EQ(a.tenant, "alice");
  EXPECT_TRUE(a.inference && !a.control && !a.worker);
  const ApiKey& b = *keys->Find("b");
  EXPECT_EQ(b.tenant, "bob");
  EXPECT_TRUE(b.inference && b.control && !b.worker);
  const ApiKey& w = *keys->Find("w");
  EXPECT_TRUE(!w.inference && !w.control && w.worker);
  const ApiKey& g = *keys->Find("g");
  EXPECT_TRUE(g.names_tenant);
  EXPECT_EQ(g.tenant, "");
  EXPECT_EQ(g.line, 4);
}

TEST(ApiKeysTest, AKeyMayBeGivenByItsDigest) {
  const auto keys = ApiKeys::Parse(
      absl::StrCat("sha256:", Sha256Hex("secret"), " tenant=alice"));
  ASSERT_THAT(keys, IsOk());
  ASSERT_THAT(keys->Find("secret"), NotNull());
  EXPECT_EQ(keys->Find("secret")->tenant, "alice");
  EXPECT_THAT(keys->Find(Sha256Hex("secret")), IsNull());
  EXPECT_THAT(keys->Find(absl::StrCat("sha256:", Sha256Hex("secret"))),
              IsNull());
}

TEST(ApiKeysTest, LimitsAreATenantsWhateverTheLine) {
  const auto keys = ApiKeys::Parse(
      "k1 tenant=alice max_requests=8 max_priority=-3\n"
      "k2 tenant=alice max_requests=8 max_queued_tokens=1000\n"
      "- tenant=bob max_queued_tokens=0\n");
  ASSERT_THAT(keys, IsOk());
  EXPECT_EQ(keys->size(), 2);
  EXPECT_EQ(keys->LimitsOf("alice"), (TenantLimits{.max_live_requests = 8,
                                                   .max_queued_tokens = 1000,
                                                   .max_priority = -3}));
  EXPECT_EQ(keys->LimitsOf("bob"), (TenantLimits{.max_queued_tokens = 0}));
  EXPECT_EQ(keys->LimitsOf("eve"), TenantLimits());
  EXPECT_EQ(keys->LimitsOf(""), TenantLimits());
  EXPECT_THAT(keys->Find("-"), IsNull());
}

TEST(ApiKeysTest, BadLinesAreNumberedAndNotQuoted) {
  const std::string digest(64, 'a');
  for (const std::string& line : {
           std::string("hush wordhush"),
           std::string("hush #hush"),
           std::string("hush roles="),
           std::string("hush roles=inference,hush"),
           std::string("hush tenant="),
           std::string("hush tenant=hush/hush"),
           absl::StrCat("hush tenant=", std::string(65, 'x')),
           std::string("hush tenant=a tenant=hush"),
           std::string("hush max_requests=8"),
           std::string("hush tenant=* max_requests=8"),
           std::string("hush tenant=a max_requests=-1"),
           std::string("hush tenant=a max_requests=hush"),
           std::string("hush tenant=a max_queued_tokens=1.5"),
           std::string("hush tenant=a max_priority=99999999999"),
           std::string("hush\xc3\xb6"),
           std::string("tenant=hush"),
           std::string("roles=worker hush"),
           std::string("sha256:hush"),
           absl::StrCat("sha256:", digest, "a"),
           std::string("-"),
           std::string("- tenant=hush"),
           std::string("- roles=worker tenant=a max_requests=1"),
           std::string("first"),  // Again.
           absl::StrCat("sha256:", Sha256Hex("first")),
           std::string("hush tenant=taken max_requests=2"),
       }) {
    EXPECT_THAT(ApiKeys::Parse(absl::StrCat(
                    "first tenant=taken max_requests=1\n# x\n", line)),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("line 3: "), Not(HasSubstr("hush")))))
        << line;
  }
  EXPECT_THAT(ApiKeys::Parse(""),
              StatusIs(absl::StatusCode::kInvalidArgument, "no key"));
  EXPECT_THAT(ApiKeys::Parse("- tenant=a max_requests=1"),
              StatusIs(absl::StatusCode::kInvalidArgument, "no key"));
}

TEST(ApiKeysTest, FilesAreNamedInErrors) {
  const std::string path = testing::TempDir() + "/keys";
  std::ofstream(path) << "k1\nk2 hush\n";
  EXPECT_THAT(
      ApiKeys::Read(path),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("--api_keys: "), HasSubstr(path + ": line 2: "),
                     Not(HasSubstr("hush")))));
  EXPECT_THAT(ApiKeys::Read(path + ".none"),
              StatusIs(absl::StatusCode::kInvalidArgument, "--api_keys: "));
  std::ofstream(path) << "k1\n";
  EXPECT_THAT(ApiKeys::Read(path), IsOk());
}

}  // namespace
}  // namespace hybridserve
