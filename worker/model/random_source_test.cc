#include "worker/model/random_source.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/dtype.h"
#include "common/model_config.h"
#include "common/sha256.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "kernels/element_convert.h"
#include "worker/model/model_tensors.h"
#include "worker/model/tensor_source.h"
#include "worker/model/testing/small_models.h"

namespace hybridserve {
namespace {

constexpr char kTokenTable[] = "model.decoder.embed_tokens.weight";
constexpr char kPositionTable[] = "model.decoder.embed_positions.weight";

std::string Read(const TensorSource& source, absl::string_view name,
                 int64_t first_row, int64_t num_rows) {
  std::string read;
  EXPECT_THAT(source.ReadRows(name, first_row, num_rows,
                              [&read](absl::Span<const char> bytes) {
                                read.assign(bytes.begin(), bytes.end());
                                return absl::OkStatus();
                              }),
              IsOk());
  return read;
}

std::string ReadWhole(const TensorSource& source, absl::string_view name) {
  return Read(source, name, 0, source.Find(name)->shape[0]);
}

std::vector<float> Floats(const std::string& bytes, DType dtype) {
  std::vector<float> values(bytes.size() / SizeOf(dtype));
  ConvertElements(dtype, bytes.data(), DType::kFloat32, values.data(),
                  static_cast<int64_t>(values.size()));
  return values;
}

struct Moments {
  double mean = 0;
  double deviation = 0;
};

Moments MomentsOf(const std::vector<float>& values) {
  double sum = 0;
  double squares = 0;
  for (const float value : values) {
    sum += value;
    squares += double{value} * value;
  }
  const auto n = static_cast<double>(values.size());
  return {sum / n, std::sqrt(squares / n - sum / n * (sum / n))};
}

TEST(RandomSourceTest, HasEveryTensorOfEveryVariant) {
  for (const auto& [name, config] : SmallConfigs()) {
    const RandomSource source(config, 1);
    EXPECT_THAT(CheckTensors(source, config), IsOk()) << name;
    EXPECT_EQ(source.Find(TensorName(config, OuterTensor::kTokenTable))->dtype,
              config.checkpoint_dtype);
  }
}

// A change of these bytes is a change of every model made from a seed.
TEST(RandomSourceTest, BytesAreTheSameForEver) {
  const RandomSource source(SmallConfig(), 7);
  EXPECT_EQ(Sha256Hex(ReadWhole(source, kTokenTable)),
            "f3bc629311a7660669a4d5a5a814a352e2bbdb33aa0f520190a4ebeaeb95c3c9");
}

TEST(RandomSourceTest, RowsDoNotDependOnHowTheyAreRead) {
  ModelConfig config = SmallConfig();
  config.hidden = config.word_embed_dim = 1500;  // More than a chunk a read.
  config.checkpoint_dtype = DType::kBFloat16;
  const RandomSource source(config, 3);
  const std::string whole = ReadWhole(source, kTokenTable);
  std::string parts;
  for (int64_t row = 0; row < config.vocab_size; row += 7) {
    parts += Read(source, kTokenTable, row,
                  std::min<int64_t>(7, config.vocab_size - row));
  }
  EXPECT_EQ(parts, whole);
}

TEST(RandomSourceTest, SeedsAndTensorsDiffer) {
  const ModelConfig config = SmallConfig();
  const RandomSource source(config, 1);
  const RandomSource same(config, 1);
  const RandomSource other(config, 2);
  const std::string k = TensorName(config, LinearWeight::kKey, 0);
  EXPECT_EQ(ReadWhole(source, k), ReadWhole(same, k));
  EXPECT_NE(ReadWhole(source, k), ReadWhole(other, k));
  EXPECT_NE(ReadWhole(source, k),
            ReadWhole(source, TensorName(config, LinearWeight::kValue, 0)));
  EXPECT_NE(ReadWhole(source, k),
            ReadWhole(source, TensorName(config, LinearWeight::kKey, 1)));
  EXPECT_EQ(source.fingerprint(), same.fingerprint());
  EXPECT_NE(source.fingerprint(), other.fingerprint());
  EXPECT_EQ(source.origin(), "--random_weights=1");
}

TEST(RandomSourceTest, ValuesLookLikeAFreshModels) {
  ModelConfig config = SmallConfig();
  config.hidden = config.word_embed_dim = 1024;
  config.ffn_dim = 4096;
  const RandomSource source(config, 5);
  const auto moments = [&source](absl::string_view name) {
    return MomentsOf(Floats(ReadWhole(source, name), DType::kFloat32));
  };
  const Moments matrix = moments(TensorName(config, LinearWeight::kFc1, 1));
  EXPECT_NEAR(matrix.mean, 0, 1e-4);
  EXPECT_NEAR(matrix.deviation, 0.02, 1e-4);
  const Moments bias = moments(TensorName(config, LayerVector::kFc1Bias, 0));
  EXPECT_NEAR(bias.mean, 0, 2e-3);
  EXPECT_NEAR(bias.deviation, 0.02, 2e-3);
  const Moments gain =
      moments(TensorName(config, LayerVector::kFfnNormGain, 0));
  EXPECT_NEAR(gain.mean, 1, 3e-3);
  EXPECT_NEAR(gain.deviation, 0.02, 3e-3);
}

TEST(RandomSourceTest, NarrowTypesAreTheRoundedWideOnes) {
  ModelConfig config = SmallConfig();
  const RandomSource wide(config, 9);
  const std::vector<float> exact =
      Floats(ReadWhole(wide, kPositionTable), DType::kFloat32);
  for (const DType dtype : {DType::kBFloat16, DType::kFloat16}) {
    config.checkpoint_dtype = dtype;
    const RandomSource narrow(config, 9);
    const std::vector<float> rounded =
        Floats(ReadWhole(narrow, kPositionTable), dtype);
    ASSERT_EQ(rounded.size(), exact.size());
    for (size_t i = 0; i < exact.size(); ++i) {
      ASSERT_NEAR(rounded[i], exact[i], std::abs(exact[i]) / 128 + 1e-7) << i;
    }
  }
}

}  // namespace
}  // namespace hybridserve
