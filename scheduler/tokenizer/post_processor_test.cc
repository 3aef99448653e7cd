#include "scheduler/tokenizer/post_processor.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using testing::ElementsAre;

constexpr int32_t kText = PostProcessor::kText;

TEST(PostProcessorTest, PutsSpecialTokensAroundTheText) {
  EXPECT_THAT(PostProcessor().Process({5, 6}), ElementsAre(5, 6));
  EXPECT_THAT(PostProcessor({0, kText, 2}).Process({5, 6}),
              ElementsAre(0, 5, 6, 2));
  EXPECT_THAT(PostProcessor({0, kText}).Process({}), ElementsAre(0));
}

TEST(PostProcessorTest, OneAfterTheOther) {
  const PostProcessor inner({1, kText});
  const PostProcessor outer({0, kText, 2});
  EXPECT_THAT(outer.After(inner).Process({5}), ElementsAre(0, 1, 5, 2));
  EXPECT_THAT(inner.After(outer).Process({5}), ElementsAre(1, 0, 5, 2));
}

}  // namespace
}  // namespace hybridserve
