#include "worker/model/safetensors_source.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "common/dtype.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/model/tensor_source.h"
#include "worker/model/testing/safetensors_text.h"
#include "worker/model/testing/scratch_folder.h"

namespace hybridserve {
namespace {

using testing::ElementsAre;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

std::string Bytes(const std::vector<TestTensor>& tensors) {
  return SafetensorsBytes(tensors);
}

TestTensor Tensor(std::string name, std::string bytes) {
  const auto size = static_cast<int64_t>(bytes.size());
  return {std::move(name), DType::kFloat32, {size / 4}, std::move(bytes)};
}

std::string ReadAll(const TensorSource& source, absl::string_view name,
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

class SafetensorsSourceTest : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<SafetensorsSource>> Open() const {
    return SafetensorsSource::Open(folder_.path(), "model.decoder.");
  }

  const ScratchFolder folder_;
};

TEST_F(SafetensorsSourceTest, ReadsRowsOfASingleFile) {
  folder_.Write(
      "model.safetensors",
      Bytes({{"lm_head.weight", DType::kFloat16, {3, 2}, "aAbBcCdDeEfF"}}));
  const auto source = Open().value();
  EXPECT_THAT(source->Names(), ElementsAre("lm_head.weight"));
  EXPECT_EQ(source->origin(), "model.safetensors");
  EXPECT_EQ(source->fingerprint(), "");
  const TensorInfo* info = source->Find("lm_head.weight");
  ASSERT_NE(info, nullptr);
  EXPECT_EQ(info->dtype, DType::kFloat16);
  EXPECT_THAT(info->shape, ElementsAre(3, 2));
  EXPECT_EQ(info->origin, "model.safetensors");
  EXPECT_EQ(source->Find("other"), nullptr);

  EXPECT_EQ(ReadAll(*source, "lm_head.weight", 0, 3), "aAbBcCdDeEfF");
  EXPECT_EQ(ReadAll(*source, "lm_head.weight", 1, 1), "cCdD");
  EXPECT_EQ(ReadAll(*source, "lm_head.weight", 3, 0), "");
}

TEST_F(SafetensorsSourceTest, UnderstandsEverySpellingOfNames) {
  folder_.Write("model.safetensors",
                Bytes({Tensor("model.decoder.embed_tokens.weight", "aaaa"),
                       Tensor("decoder.embed_positions.weight", "bbbb"),
                       Tensor("layers.0.fc1.bias", "cccc"),
                       Tensor("model.lm_head.weight", "dddd")}));
  const auto source = Open().value();
  EXPECT_THAT(
      source->Names(),
      ElementsAre("lm_head.weight", "model.decoder.embed_positions.weight",
                  "model.decoder.embed_tokens.weight",
                  "model.decoder.layers.0.fc1.bias"));
  EXPECT_EQ(ReadAll(*source, "model.decoder.layers.0.fc1.bias", 0, 1), "cccc");
}

TEST_F(SafetensorsSourceTest, ReadsShardsByTheirIndex) {
  folder_.Write("model-1.safetensors", Bytes({Tensor("a", "1111")}));
  folder_.Write("model-2.safetensors",
                Bytes({Tensor("b", "22222222"), Tensor("c", "3333")}));
  folder_.Write("unrelated.safetensors", "not even a header");
  folder_.Write("model.safetensors.index.json", R"({"weight_map": {
      "a": "model-1.safetensors", "b": "model-2.safetensors",
      "c": "model-2.safetensors"}})");
  const auto source = Open().value();
  EXPECT_EQ(source->origin(), "model.safetensors.index.json");
  EXPECT_EQ(ReadAll(*source, "model.decoder.a", 0, 1), "1111");
  EXPECT_EQ(ReadAll(*source, "model.decoder.b", 0, 2), "22222222");
  EXPECT_EQ(ReadAll(*source, "model.decoder.c", 0, 1), "3333");
}

TEST_F(SafetensorsSourceTest, RefusesAnIndexThatLies) {
  folder_.Write("model-1.safetensors",
                Bytes({Tensor("a", "1111"), Tensor("b", "2222")}));
  folder_.Write("model-2.safetensors", Bytes({Tensor("c", "3333")}));
  const auto open_with = [this](absl::string_view weight_map) {
    folder_.Write("model.safetensors.index.json",
                  absl::StrCat("{\"weight_map\": {", weight_map, "}}"));
    return Open().status();
  };
  EXPECT_THAT(open_with(R"("a": "model-1.safetensors",
                           "b": "model-2.safetensors",
                           "c": "model-2.safetensors")"),
              StatusIs(kInvalid,
                       "model.safetensors.index.json: tensor b: is "
                       "not in model-2.safetensors"));
  EXPECT_THAT(open_with(R"("a": "model-1.safetensors",
                           "d": "model-1.safetensors")"),
              StatusIs(kInvalid, "tensor d: is not in model-1.safetensors"));
  EXPECT_THAT(open_with(R"("a": "model-1.safetensors")"),
              StatusIs(kInvalid,
                       "model-1.safetensors: tensor model.decoder.b: is not "
                       "in model.safetensors.index.json"));
  EXPECT_THAT(open_with(R"("a": "model-3.safetensors")"),
              StatusIs(absl::StatusCode::kNotFound, "model-3.safetensors"));
}

TEST_F(SafetensorsSourceTest, TakesEverySafetensorsFileWhereThereIsNoIndex) {
  folder_.Write("x.safetensors", Bytes({Tensor("a", "1111")}));
  EXPECT_EQ(Open().value()->origin(), "x.safetensors");
  folder_.Write("y.safetensors", Bytes({Tensor("b", "2222")}));
  EXPECT_THAT(Open().value()->Names(),
              ElementsAre("model.decoder.a", "model.decoder.b"));

  folder_.Write("z.safetensors", Bytes({Tensor("model.decoder.a", "3333")}));
  EXPECT_THAT(Open().status(),
              StatusIs(kInvalid,
                       "z.safetensors: tensor model.decoder.a: occurs twice, "
                       "the first time in x.safetensors"));
}

TEST_F(SafetensorsSourceTest, SaysWhatIsMissing) {
  EXPECT_THAT(Open().status(),
              StatusIs(absl::StatusCode::kNotFound,
                       folder_.path() + ": no model.safetensors"));
  folder_.Write("pytorch_model.bin", "PK");
  EXPECT_THAT(Open().status(), StatusIs(absl::StatusCode::kFailedPrecondition,
                                        "pytorch_model.bin is a PyTorch file"));
}

// Kilobytes of files that this process holds in memory.
int64_t FileKilobytes() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    int64_t kilobytes = 0;
    absl::string_view rest = line;
    if (absl::ConsumePrefix(&rest, "RssFile:") &&
        absl::SimpleAtoi(absl::StripSuffix(rest, " kB"), &kilobytes)) {
      return kilobytes;
    }
  }
  ADD_FAILURE() << "no RssFile";
  return 0;
}

TEST_F(SafetensorsSourceTest, HoldsLittleOfWhatItRead) {
  constexpr int64_t kRows = 64;
  constexpr int64_t kRowBytes = 1 << 20;
  folder_.Write("model.safetensors",
                Bytes({{"a",
                        DType::kFloat32,
                        {kRows, kRowBytes / 4},
                        std::string(kRows * kRowBytes, 'a')}}));
  const auto source = Open().value();
  const int64_t before = FileKilobytes();
  int64_t sum = 0;
  int64_t most = 0;
  for (int64_t row = 0; row < kRows; ++row) {
    ASSERT_THAT(source->ReadRows("model.decoder.a", row, 1,
                                 [&](absl::Span<const char> bytes) {
                                   for (const char c : bytes) sum += c;
                                   most =
                                       std::max(most, FileKilobytes() - before);
                                   return absl::OkStatus();
                                 }),
                IsOk());
  }
  EXPECT_EQ(sum, kRows * kRowBytes * 'a');
  EXPECT_LT(most, 8 * 1024);  // Of 64 MiB; the kernel maps a little around.
}

TEST_F(SafetensorsSourceTest, PassesErrorsOfTheReaderOn) {
  folder_.Write("model.safetensors", Bytes({Tensor("a", "1111")}));
  const auto source = Open().value();
  EXPECT_THAT(source->ReadRows("model.decoder.a", 0, 1,
                               [](absl::Span<const char>) {
                                 return absl::DataLossError("bad rows");
                               }),
              StatusIs(absl::StatusCode::kDataLoss, "bad rows"));
}

}  // namespace
}  // namespace hybridserve
