#include "worker/model/model_folder.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/dtype.h"
#include "common/model_config.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/model/model_tensors.h"
#include "worker/model/random_source.h"
#include "worker/model/tensor_source.h"
#include "worker/model/testing/safetensors_text.h"
#include "worker/model/testing/scratch_folder.h"
#include "worker/model/testing/small_models.h"

namespace hybridserve {
namespace {

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

std::vector<TestTensor> TensorsOf(const ModelConfig& config) {
  return CopyTensors(RandomSource(config, 6),
                     [](absl::string_view name) -> std::string {
                       return {name.begin(), name.end()};
                     });
}

class ModelFolderTest : public testing::Test {
 protected:
  void SetUp() override {
    scratch_.Write("config.json", ConfigJson(config_));
    scratch_.Write("model.safetensors", SafetensorsBytes(TensorsOf(config_)));
  }

  absl::StatusOr<ModelFolder> Open() const {
    return OpenModelFolder(scratch_.path(), std::nullopt);
  }

  // The folder's status after changes to its tensors.
  absl::Status StatusAfter(
      const std::function<void(std::vector<TestTensor>&)>& change) const {
    std::vector<TestTensor> tensors = TensorsOf(config_);
    change(tensors);
    scratch_.Write("model.safetensors", SafetensorsBytes(tensors));
    return Open().status();
  }

  const ModelConfig config_ = SmallConfig();
  const ScratchFolder scratch_;
};

TEST_F(ModelFolderTest, OpensEveryVariant) {
  for (const auto& [name, config] : SmallConfigs()) {
    SCOPED_TRACE(name);
    scratch_.Write("config.json", ConfigJson(config));
    scratch_.Write("model.safetensors", SafetensorsBytes(TensorsOf(config)));
    const absl::StatusOr<ModelFolder> folder = Open();
    ASSERT_THAT(folder, IsOk());
    EXPECT_EQ(folder->config.hidden, config.hidden);
    EXPECT_EQ(folder->config.has_final_norm, config.has_final_norm);
    EXPECT_EQ(folder->checkpoint_dtype, config.checkpoint_dtype);
    EXPECT_EQ(folder->tensors->Names().size(), ModelTensors(config).size());
  }
}

TEST_F(ModelFolderTest, CarriesTheFilesThatTheSchedulerNeeds) {
  scratch_.Write("generation_config.json", "{\"top_k\": 5}");
  scratch_.Write("tokenizer.json", "tj");
  scratch_.Write("tokenizer_config.json", "tc");
  scratch_.Write("special_tokens_map.json", "sp");
  scratch_.Write("vocab.json", "vj");
  scratch_.Write("merges.txt", "mt");
  const ModelFolder folder = Open().value();
  EXPECT_EQ(folder.files.config_json, ConfigJson(config_));
  EXPECT_EQ(folder.files.generation_config_json, "{\"top_k\": 5}");
  EXPECT_EQ(folder.files.tokenizer_json, "tj");
  EXPECT_EQ(folder.files.tokenizer_config_json, "tc");
  EXPECT_EQ(folder.files.special_tokens_map_json, "sp");
  EXPECT_EQ(folder.files.vocab_json, "vj");
  EXPECT_EQ(folder.files.merges_txt, "mt");
}

TEST_F(ModelFolderTest, AbsentFilesAreEmpty) {
  const ModelFolder folder = Open().value();
  EXPECT_EQ(folder.files.tokenizer_json, "");
  EXPECT_EQ(folder.files.generation_config_json, "");
}

TEST_F(ModelFolderTest, GoesByTheFoldersName) {
  const std::string name =
      std::filesystem::path(scratch_.path()).filename().string();
  EXPECT_EQ(ModelFolderName(scratch_.path()), name);
  EXPECT_EQ(ModelFolderName(scratch_.path() + "/"), name);
  EXPECT_EQ(ModelFolderName(scratch_.path() + "/."), name);
}

TEST_F(ModelFolderTest, MakesUpWeightsFromTheConfigAlone) {
  scratch_.Write("model.safetensors", "damaged");
  const ModelFolder folder = OpenModelFolder(scratch_.path(), 17).value();
  EXPECT_EQ(folder.tensors->fingerprint(),
            RandomSource(config_, 17).fingerprint());
  EXPECT_EQ(folder.checkpoint_dtype, DType::kFloat32);
}

TEST_F(ModelFolderTest, TheTensorsDecideTheDtype) {
  ModelConfig half = config_;
  half.checkpoint_dtype = DType::kFloat16;
  scratch_.Write("model.safetensors", SafetensorsBytes(TensorsOf(half)));
  EXPECT_EQ(Open()->checkpoint_dtype, DType::kFloat16);
}

TEST_F(ModelFolderTest, SaysWhatIsMissing) {
  EXPECT_THAT(OpenModelFolder(scratch_.PathOf("none"), std::nullopt).status(),
              StatusIs(absl::StatusCode::kNotFound,
                       scratch_.PathOf("none") + ": no such model folder"));
  EXPECT_THAT(
      OpenModelFolder(scratch_.PathOf("config.json"), std::nullopt).status(),
      StatusIs(kInvalid, "config.json: not a folder"));
  EXPECT_THAT(OpenModelFolder("", std::nullopt).status(),
              StatusIs(absl::StatusCode::kNotFound));
  scratch_.Remove("model.safetensors");
  EXPECT_THAT(Open().status(),
              StatusIs(absl::StatusCode::kNotFound, "no model.safetensors"));
  scratch_.Remove("config.json");
  EXPECT_THAT(Open().status(),
              StatusIs(absl::StatusCode::kNotFound, "config.json"));
}

TEST_F(ModelFolderTest, RefusesDamagedTensorsByFileNameAndReason) {
  constexpr int kSome = 5;
  const std::string name = TensorsOf(config_)[kSome].name;
  const std::string where =
      absl::StrCat("model.safetensors: tensor ", name, ": ");
  EXPECT_THAT(StatusAfter([](auto& tensors) {
                tensors.erase(tensors.begin() + kSome);
              }),
              StatusIs(kInvalid, where + "missing"));
  EXPECT_THAT(
      StatusAfter([](auto& tensors) { tensors[kSome].dtype = DType::kInt32; }),
      StatusIs(kInvalid, where + "dtype: \"I32\" is not supported"));
  EXPECT_THAT(
      StatusAfter([](auto& tensors) { tensors[kSome].shape.push_back(1); }),
      StatusIs(kInvalid, where + "shape is ["));
  EXPECT_THAT(StatusAfter([](auto& tensors) { tensors[kSome].shape[0] += 1; }),
              StatusIs(kInvalid, where + "data_offsets: span"));
  EXPECT_THAT(StatusAfter([](auto& tensors) {
                tensors.push_back(
                    {"decoder.layers.0.fc3.weight", DType::kFloat32, {0}, ""});
              }),
              StatusIs(kInvalid, "has no such tensor"));
  EXPECT_THAT(StatusAfter([](auto&) {}), IsOk());
}

TEST_F(ModelFolderTest, RefusesWeightsOfAnotherShape) {
  ModelConfig other = config_;
  other.vocab_size += 1;
  scratch_.Write("config.json", ConfigJson(other));
  EXPECT_THAT(Open().status(),
              StatusIs(kInvalid,
                       "model.safetensors: tensor "
                       "model.decoder.embed_tokens.weight: shape is [150, "
                       "24]; config.json wants [151, 24]"));
}

TEST_F(ModelFolderTest, RefusesABadConfigBeforeItLooksAtWeights) {
  scratch_.Remove("model.safetensors");
  scratch_.Write("config.json", "{\"model_type\": \"mamba\"}");
  EXPECT_THAT(Open().status(),
              StatusIs(kInvalid, "config.json: model_type: \"mamba\""));
}

TEST_F(ModelFolderTest, RefusesAbsurdlyLargeTextFiles) {
  scratch_.Write("tokenizer.json", "");
  std::filesystem::resize_file(scratch_.PathOf("tokenizer.json"),
                               (uint64_t{64} << 20) + 1);
  EXPECT_THAT(Open().status(),
              StatusIs(kInvalid, "tokenizer.json: 67108865 bytes; the limit"));
}

}  // namespace
}  // namespace hybridserve
