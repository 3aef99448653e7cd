#include "common/security/tenant_name.h"

#include <string>

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

TEST(TenantNameTest, TakesLettersDigitsAndThreeSigns) {
  for (const char* name : {"a", "Team-7", "a.b_c", "-", "0"}) {
    EXPECT_TRUE(IsTenantName(name)) << name;
  }
  EXPECT_TRUE(IsTenantName(std::string(64, 'x')));
}

TEST(TenantNameTest, RefusesAllElse) {
  for (const char* name :
       {"", "a b", "*", "a/b", "a\n", "gr\xc3\xb6sse", "{}"}) {
    EXPECT_FALSE(IsTenantName(name)) << name;
  }
  EXPECT_FALSE(IsTenantName(std::string(65, 'x')));
  EXPECT_FALSE(IsTenantName(std::string("a\0b", 3)));
}

}  // namespace
}  // namespace hybridserve
