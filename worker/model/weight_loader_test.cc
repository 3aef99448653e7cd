#include "worker/model/weight_loader.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/dtype.h"
#include "common/model_config.h"
#include "common/testing/fake_clock.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "kernels/element_convert.h"
#include "kernels/panel_layout.h"
#include "worker/model/host_weights.h"
#include "worker/model/model_tensors.h"
#include "worker/model/random_source.h"
#include "worker/model/tensor_source.h"
#include "worker/model/testing/row_major_layout.h"
#include "worker/model/testing/small_models.h"
#include "worker/model/weight_plan.h"

namespace hybridserve {
namespace {

constexpr uint64_t kSeed = 11;

// Memory of a plan's sizes, filled with what no loader writes.
struct Memory {
  explicit Memory(const WeightPlan& plan)
      : layers(plan.num_layers * plan.layer.bytes, '\x5a'),
        head(plan.head.bytes, '\x5a'),
        outer(plan.outer.bytes, '\x5a'),
        token_table(plan.token_table.bytes(), '\x5a'),
        position_table(plan.position_table.bytes(), '\x5a') {}

  WeightSpans Spans() {
    return {.layers = absl::MakeSpan(layers),
            .head = absl::MakeSpan(head),
            .outer = absl::MakeSpan(outer),
            .token_table = absl::MakeSpan(token_table),
            .position_table = absl::MakeSpan(position_table)};
  }

  friend bool operator==(const Memory&, const Memory&) = default;

  std::string layers, head, outer, token_table, position_table;
};

// Rows of a tensor in another dtype.
std::string Converted(const TensorSource& source, absl::string_view name,
                      int64_t first_row, int64_t num_rows, DType dtype) {
  const TensorInfo& info = *source.Find(name);
  const int64_t elements = num_rows * info.RowElements();
  std::string out(elements * SizeOf(dtype), '\0');
  EXPECT_THAT(source.ReadRows(name, first_row, num_rows,
                              [&](absl::Span<const char> bytes) {
                                ConvertElements(info.dtype, bytes.data(), dtype,
                                                out.data(), elements);
                                return absl::OkStatus();
                              }),
              IsOk());
  return out;
}

// Compares what a RowMajorLayout packed with the source.
class Checker {
 public:
  Checker(const TensorSource& source, const ModelConfig& config,
          const WeightPlan& plan)
      : source_(source), config_(config), plan_(plan) {}

  void Check(const Memory& memory) const {
    Table(TensorName(config_, OuterTensor::kTokenTable), memory.token_table);
    Table(TensorName(config_, OuterTensor::kPositionTable),
          memory.position_table);
    Pieces(plan_.outer.project_in, 0, memory.outer);
    Pieces(plan_.outer.project_out, 0, memory.outer);
    Vector(TensorName(config_, OuterTensor::kFinalNormGain),
           plan_.outer.final_norm_gain, memory.outer);
    Vector(TensorName(config_, OuterTensor::kFinalNormBias),
           plan_.outer.final_norm_bias, memory.outer);
    Pieces(plan_.head.slices, 0, memory.head);
    for (int64_t layer = 0; layer < plan_.num_layers; ++layer) {
      const std::string blob =
          memory.layers.substr(layer * plan_.layer.bytes, plan_.layer.bytes);
      Pieces(plan_.layer.pieces, layer, blob);
      for (int i = 0; i < kNumLayerVectors; ++i) {
        const auto which = static_cast<LayerVector>(i);
        Vector(TensorName(config_, which, layer), plan_.layer.vector(which),
               blob);
      }
    }
  }

 private:
  void Table(absl::string_view name, const std::string& table) const {
    if (source_.Find(name) == nullptr) {  // Of positions, where they turn.
      EXPECT_EQ(table, "");
      return;
    }
    EXPECT_EQ(table, Converted(source_, name, 0, source_.Find(name)->shape[0],
                               plan_.dtype))
        << name;
  }

  void Pieces(const std::vector<WeightPiece>& pieces, int64_t layer,
              const std::string& blob) const {
    for (const WeightPiece& piece : pieces) {
      const std::string name = TensorName(config_, piece.weight, layer);
      const std::string want =
          Converted(source_, name, piece.first_row, piece.shape.n, plan_.dtype);
      EXPECT_EQ(blob.substr(piece.offset, want.size()), want)
          << name << " from row " << piece.first_row;
    }
  }

  void Vector(absl::string_view name, const VectorSlot& slot,
              const std::string& blob) const {
    if (slot.size == 0) return;
    EXPECT_EQ(blob.substr(slot.offset, 4 * slot.size),
              Converted(source_, name, 0, slot.size, DType::kFloat32))
        << name;
  }

  const TensorSource& source_;
  const ModelConfig& config_;
  const WeightPlan& plan_;
};

TEST(WeightLoaderTest, PutsEveryTensorOfEveryVariantInItsPlace) {
  const RowMajorLayout layout;
  for (const auto& [name, config] : SmallConfigs()) {
    const RandomSource source(config, kSeed);
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
      for (const int64_t pieces : {1, 3}) {
        SCOPED_TRACE(testing::Message() << name << " " << Name(dtype) << " "
                                        << pieces << " pieces");
        const WeightPlan plan = MakeWeightPlan(config, dtype, layout,
                                               {.pieces_per_weight = pieces,
                                                .min_piece_bytes = 1,
                                                .head_slice_bytes = 10'000});
        Memory memory(plan);
        ASSERT_THAT(LoadWeights(source, config, ConfigJson(config), plan,
                                layout, memory.Spans()),
                    IsOk());
        Checker(source, config, plan).Check(memory);
      }
    }
  }
}

std::string Load(const TensorSource& source, const ModelConfig& config,
                 DType dtype, const PiecePolicy& policy,
                 const LoadOptions& options, Memory* memory = nullptr) {
  const PanelLayout layout;
  const WeightPlan plan = MakeWeightPlan(config, dtype, layout, policy);
  Memory own(plan);
  const absl::StatusOr<std::string> hash = LoadWeights(
      source, config, ConfigJson(config), plan, layout, own.Spans(), options);
  EXPECT_THAT(hash, IsOk());
  if (memory != nullptr) *memory = own;
  return hash.value_or("");
}

// The same bytes as a RandomSource's, but as if they came from files.
class FileLikeSource final : public TensorSource {
 public:
  FileLikeSource(const ModelConfig& config, uint64_t seed)
      : random_(config, seed) {}

  // Adds one to the last byte of a tensor.
  void Damage(const std::string& name) { damaged_ = name; }

  std::vector<std::string> Names() const override { return random_.Names(); }
  const TensorInfo* Find(absl::string_view name) const override {
    return random_.Find(name);
  }
  absl::Status ReadRows(absl::string_view name, int64_t first_row,
                        int64_t num_rows,
                        absl::FunctionRef<absl::Status(absl::Span<const char>)>
                            use) const override {
    const bool has_last_row =
        first_row + num_rows == random_.Find(name)->shape[0];
    return random_.ReadRows(name, first_row, num_rows,
                            [&](absl::Span<const char> bytes) {
                              std::string copy(bytes.begin(), bytes.end());
                              if (name == damaged_ && has_last_row) {
                                ++copy.back();
                              }
                              return use(copy);
                            });
  }
  std::string origin() const override { return "model.safetensors"; }
  std::string fingerprint() const override { return ""; }

 private:
  const RandomSource random_;
  std::string damaged_;
};

TEST(WeightLoaderTest, HashDependsOnConfigAndWeightsAlone) {
  const ModelConfig config = SmallConfig();
  const FileLikeSource source(config, kSeed);
  const std::string hash =
      Load(source, config, DType::kFloat32, {}, {.num_threads = 1});
  EXPECT_THAT(hash, testing::MatchesRegex("[0-9a-f]{64}"));
  EXPECT_EQ(hash, Load(source, config, DType::kBFloat16,
                       {.pieces_per_weight = 2, .min_piece_bytes = 1},
                       {.num_threads = 3}));

  EXPECT_NE(hash, Load(FileLikeSource(config, kSeed + 1), config,
                       DType::kFloat32, {}, {}));
  for (const ExpectedTensor& tensor : ModelTensors(config)) {
    FileLikeSource damaged(config, kSeed);
    damaged.Damage(tensor.name);
    EXPECT_NE(hash, Load(damaged, config, DType::kFloat32, {}, {}))
        << tensor.name;
  }
  ModelConfig other = config;
  other.activation = ActivationFunction::kGelu;
  EXPECT_NE(hash, Load(source, other, DType::kFloat32, {}, {}));
}

TEST(WeightLoaderTest, HashOfRandomWeightsFollowsFromConfigAndSeed) {
  const ModelConfig config = SmallConfig();
  const auto hash_of = [](const ModelConfig& model, uint64_t seed) {
    return Load(RandomSource(model, seed), model, DType::kFloat32, {}, {});
  };
  EXPECT_EQ(hash_of(config, 1), hash_of(config, 1));
  EXPECT_NE(hash_of(config, 1), hash_of(config, 2));
  ModelConfig other = config;
  other.num_layers = 1;
  EXPECT_NE(hash_of(config, 1), hash_of(other, 1));
}

TEST(WeightLoaderTest, ThreadsChangeNothing) {
  const ModelConfig config = SmallConfigs().back().config;
  const RandomSource source(config, kSeed);
  const PiecePolicy policy = {.min_piece_bytes = 1, .head_slice_bytes = 1};
  Memory one(WeightPlan{});
  Memory many(WeightPlan{});
  Load(source, config, DType::kBFloat16, policy, {.num_threads = 1}, &one);
  Load(source, config, DType::kBFloat16, policy, {.num_threads = 5}, &many);
  EXPECT_TRUE(one == many);
}

TEST(WeightLoaderTest, ReportsProgressUpToTheEnd) {
  const ModelConfig config = SmallConfig();
  const RandomSource source(config, kSeed);
  // Each layer's time is a second, so that every report is also logged.
  FakeClock clock;
  int64_t last = 0;
  int64_t total = 0;
  int calls = 0;
  LoadOptions options = {.num_threads = 2, .clock = &clock};
  options.progress = [&](int64_t done_bytes, int64_t total_bytes) {
    EXPECT_GT(done_bytes, last);
    last = done_bytes;
    total = total_bytes;
    ++calls;
    clock.Advance(absl::Seconds(1));
  };
  Load(source, config, DType::kFloat32, {}, options);
  EXPECT_EQ(last, total);
  EXPECT_GT(calls, config.num_layers);
  // All tensors once, and the tied head again.
  const int64_t parameters = config.num_layers * config.LayerParameters() +
                             config.EmbeddingParameters() +
                             config.vocab_size * config.word_embed_dim;
  EXPECT_EQ(total, 4 * parameters);
}

// Refuses to pack one shape.
class PickyLayout final : public WeightLayout {
 public:
  int64_t piece_alignment() const override { return 16; }
  int64_t PackedBytes(const WeightShape& shape) const override {
    return layout_.PackedBytes(shape);
  }
  absl::Status Pack(const WeightShape& shape, DType source,
                    absl::Span<const char> rows,
                    absl::Span<char> blob) const override {
    if (shape.n == 40) return absl::InternalError("no forties");
    return layout_.Pack(shape, source, rows, blob);
  }

 private:
  const RowMajorLayout layout_;
};

TEST(WeightLoaderTest, AFailureStopsItAndNamesTheTensor) {
  const ModelConfig config = SmallConfig();
  const FileLikeSource source(config, kSeed);
  const PickyLayout layout;
  const WeightPlan plan = MakeWeightPlan(config, DType::kFloat32, layout);
  for (const int threads : {1, 4}) {
    Memory memory(plan);
    EXPECT_THAT(LoadWeights(source, config, ConfigJson(config), plan, layout,
                            memory.Spans(), {.num_threads = threads}),
                StatusIs(absl::StatusCode::kInternal,
                         testing::MatchesRegex(
                             "model.safetensors: tensor "
                             "model.decoder.layers.[01].fc1.weight: no "
                             "forties")));
  }
}

TEST(WeightLoaderDeathTest, SpansMustHaveThePlansSizes) {
  const ModelConfig config = SmallConfig();
  const RandomSource source(config, kSeed);
  const RowMajorLayout layout;
  const WeightPlan plan = MakeWeightPlan(config, DType::kFloat32, layout);
  Memory memory(plan);
  memory.head.pop_back();
  EXPECT_DEATH(static_cast<void>(LoadWeights(source, config, "{}", plan, layout,
                                             memory.Spans())),
               "plan.head.bytes");
}

}  // namespace
}  // namespace hybridserve
