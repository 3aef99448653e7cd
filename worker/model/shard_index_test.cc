#include "worker/model/shard_index.h"

#include <string>

#include "absl/status/status.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/model/testing/scratch_folder.h"

namespace hybridserve {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(ShardIndexTest, MapsTensorsToFiles) {
  const ScratchFolder folder;
  folder.Write(kShardIndexFile, R"({
      "metadata": {"total_size": 8},
      "weight_map": {"b": "model-2.safetensors",
                     "a": "model-1.safetensors"}})");
  EXPECT_THAT(ReadShardIndex(folder.path()),
              IsOkAndHolds(ElementsAre(Pair("a", "model-1.safetensors"),
                                       Pair("b", "model-2.safetensors"))));
}

TEST(ShardIndexTest, RefusesWhatIsNoIndex) {
  const struct {
    std::string json;
    std::string message;
  } cases[] = {
      {"", "model.safetensors.index.json: not valid JSON"},
      {"[]", "model.safetensors.index.json: must hold a JSON object"},
      {"{}", "weight_map: missing"},
      {R"({"weight_map": []})", "weight_map: must be an object"},
      {R"({"weight_map": {}})", "weight_map: must be an object"},
      {R"({"weight_map": {"a": 1}})", "tensor a: must name"},
      {R"({"weight_map": {"a": ""}})", "tensor a: must name"},
      {R"({"weight_map": {"a": "model.bin"}})", "tensor a: must name"},
      {R"({"weight_map": {"a": "../b.safetensors"}})", "tensor a: must name"},
      {R"({"weight_map": {"a": "/b.safetensors"}})", "tensor a: must name"},
      {R"({"weight_map": {"a": ".safetensors"}})", "tensor a: must name"},
      {R"({"weight_map": {"a": "b\u0000.safetensors"}})",
       "tensor a: must name"},
      {R"({"weight_map": {"a": "b.safetensors", "a": "c.safetensors"}})",
       "\"a\" occurs twice"},
  };
  for (const auto& c : cases) {
    EXPECT_THAT(ParseShardIndex(c.json),
                StatusIs(absl::StatusCode::kInvalidArgument, c.message))
        << c.json;
  }
}

TEST(ShardIndexTest, NamesTheFileThatIsNotThere) {
  const ScratchFolder folder;
  EXPECT_THAT(
      ReadShardIndex(folder.path()),
      StatusIs(absl::StatusCode::kNotFound, folder.PathOf(kShardIndexFile)));
}

}  // namespace
}  // namespace hybridserve
