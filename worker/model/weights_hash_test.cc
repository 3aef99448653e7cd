#include "worker/model/weights_hash.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/model_config.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/model/random_source.h"
#include "worker/model/safetensors_source.h"
#include "worker/model/testing/safetensors_text.h"
#include "worker/model/testing/scratch_folder.h"
#include "worker/model/testing/small_models.h"

namespace hybridserve {
namespace {

std::string HashOf(const ScratchFolder& folder, const ModelConfig& config) {
  const auto source =
      SafetensorsSource::Open(folder.path(), "model.decoder.").value();
  return HashWeights(*source, config, ConfigJson(config), false).value();
}

TEST(WeightsHashTest, DoesNotDependOnHowFilesSpellOrSplit) {
  const ModelConfig config = SmallConfig();
  const RandomSource random(config, 4);
  const ScratchFolder whole;
  whole.Write("model.safetensors",
              SafetensorsBytes(CopyTensors(random, [](absl::string_view name) {
                return absl::StrCat(name);
              })));

  std::vector<TestTensor> tensors =
      CopyTensors(random, [](absl::string_view name) {
        return std::string(absl::StripPrefix(name, "model."));
      });
  const auto middle = tensors.begin() + 9;
  const ScratchFolder split;
  split.Write("1.safetensors",
              SafetensorsBytes(std::vector<TestTensor>(middle, tensors.end())));
  split.Write("2.safetensors", SafetensorsBytes(std::vector<TestTensor>(
                                   tensors.begin(), middle)));
  EXPECT_EQ(HashOf(whole, config), HashOf(split, config));
}

TEST(WeightsHashTest, IncludesTheTextOfTheConfig) {
  const ModelConfig config = SmallConfig();
  const RandomSource random(config, 4);
  EXPECT_NE(HashWeights(random, config, "{}", false).value(),
            HashWeights(random, config, "{ }", false).value());
}

TEST(WeightsHashTest, CanBeCancelled) {
  const ModelConfig config = SmallConfig();
  const ScratchFolder folder;
  folder.Write("model.safetensors",
               SafetensorsBytes(CopyTensors(
                   RandomSource(config, 4),
                   [](absl::string_view name) { return absl::StrCat(name); })));
  const auto source =
      SafetensorsSource::Open(folder.path(), "model.decoder.").value();
  EXPECT_THAT(HashWeights(*source, config, "{}", true),
              StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace hybridserve
