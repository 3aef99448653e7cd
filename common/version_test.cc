#include "common/version.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

TEST(VersionTest, IsThreeNumbers) {
  EXPECT_THAT(std::string(Version()),
              testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
}

TEST(VersionTest, BuildIdIsHexAndStays) {
  EXPECT_THAT(BuildId(), testing::MatchesRegex("[0-9a-f]+"));
  EXPECT_GE(BuildId().size(), 16U);
  EXPECT_EQ(BuildId(), BuildId());
}

}  // namespace
}  // namespace hybridserve
