// The worked example of docs/sizing.md is what the planner plans.

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/dtype.h"
#include "common/model_config.h"
#include "common/size.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/memory_planner.h"
#include "worker/model/testing/row_major_layout.h"

namespace hybridserve {
namespace {

using testing::HasSubstr;

constexpr int64_t kMiB = int64_t{1} << 20;
constexpr int64_t kGiB = int64_t{1} << 30;

// The page in one line, whatever lines it is broken into.
std::string Page() {
  std::ifstream file("docs/sizing.md");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  return absl::StrReplaceAll(text, {{"\n  ", " "}, {"\n", " "}});
}

ModelConfig Opt30B() {
  ModelConfig config;
  config.num_layers = 48;
  config.hidden = 7168;
  config.num_heads = config.num_kv_heads = 56;
  config.head_dim = 128;
  config.ffn_dim = 28672;
  config.vocab_size = 50272;
  config.max_positions = 2048;
  config.position_offset = 2;
  config.word_embed_dim = 7168;
  return config;
}

TEST(SizingExampleTest, ThePageHasThePlannersFigures) {
  const ModelConfig config = Opt30B();
  const RowMajorLayout layout;
  const WeightPlan weights = MakeWeightPlan(config, DType::kBFloat16, layout);
  const MemoryPlan plan =
      MakeMemoryPlan({.config = &config,
                      .weights = &weights,
                      .device_memory = MemorySetting::Bytes(20 * kGiB),
                      .host_memory = MemorySetting::Bytes(64 * kGiB),
                      .device_available = 24 * kGiB,
                      .device_reserved = 80 * kMiB,  // Of a GPU's ops.
                      .host_available = 160 * kGiB,
                      .loading_bytes = 16 * weights.MaxPieceElements() * 4})
          .value();

  const std::string page = Page();
  const auto expect_row = [&](const std::string& name, int64_t bytes) {
    EXPECT_THAT(page, HasSubstr(absl::StrCat("| ", name, " | ",
                                             FormatSize(bytes), " |")));
  };
  for (const MemoryItem& item : plan.device) expect_row(item.name, item.bytes);
  for (const MemoryItem& item : plan.host) expect_row(item.name, item.bytes);
  expect_row("all on the device", plan.device_bytes());
  expect_row("all on the host", plan.host_bytes());

  const int64_t tokens =
      (int64_t{plan.host_half_slots} + plan.device_half_slots) / 2 * 16;
  const int64_t streamed =
      weights.num_layers * plan.streamed_layer_bytes(weights) +
      plan.streamed_head_bytes(weights);
  for (const std::string& figure :
       {absl::StrCat("a layer is ", FormatSize(weights.layer.bytes)),
        absl::StrCat("`min` would be ", FormatSize(plan.min_device_bytes)),
        absl::StrCat("holds ", tokens, " tokens as keys and values"),
        absl::StrCat("or ", 2 * tokens, " as activations"),
        absl::StrCat("each step streams ", FormatSize(streamed)),
        absl::StrCat(
            "A token's keys and values are ",
            FormatSize(2 * config.kv_width() * 2 * config.num_layers))}) {
    EXPECT_THAT(page, HasSubstr(figure));
  }
}

}  // namespace
}  // namespace hybridserve
