#include "scheduler/core/model_registry.h"

#include "common/status_details.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using absl::StatusCode;

TEST(ModelRegistryTest, FindsByNameAndTheOnlyOneWithout) {
  ModelRegistry registry;
  EXPECT_THAT(registry.Find("a"), StatusIs(StatusCode::kUnavailable));
  ASSERT_THAT(registry.Register({"a", "h1", {}}, false), IsOk());
  EXPECT_EQ(registry.Find("").value()->name, "a");
  EXPECT_EQ(registry.Find("a").value()->name, "a");
  EXPECT_THAT(registry.Find("b"),
              StatusIs(StatusCode::kNotFound, "no model b"));

  ASSERT_THAT(registry.Register({"b", "h1", {}}, true), IsOk());
  const absl::Status status = registry.Find("").status();
  EXPECT_THAT(status, StatusIs(StatusCode::kInvalidArgument, "there are 2"));
  EXPECT_EQ(FieldOf(status), "model");
}

TEST(ModelRegistryTest, ANameInUseKeepsItsWeights) {
  ModelRegistry registry;
  ASSERT_THAT(registry.Register({"a", "h1", {}}, false), IsOk());
  EXPECT_THAT(registry.Register({"a", "h1", {}}, true), IsOk());
  EXPECT_THAT(registry.Register({"a", "h2", {}}, true),
              StatusIs(StatusCode::kFailedPrecondition, "a worker brought h2"));
  EXPECT_EQ(registry.Find("a").value()->weights_hash, "h1");
  EXPECT_THAT(registry.Register({"a", "h2", {}}, false), IsOk());
  EXPECT_EQ(registry.Find("a").value()->weights_hash, "h2");
}

}  // namespace
}  // namespace hybridserve
