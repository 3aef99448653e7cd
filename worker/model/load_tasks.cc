#include "worker/model/load_tasks.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/dtype.h"
#include "common/model_config.h"
#include "glog/logging.h"
#include "kernels/element_convert.h"
#include "kernels/weight_layout.h"
#include "worker/model/host_weights.h"
#include "worker/model/model_tensors.h"
#include "worker/model/tensor_source.h"
#include "worker/model/weight_plan.h"

namespace hybridserve {
namespace {

// Of a table, so that neither memory nor progress waits for the whole of it.
constexpr int64_t kTableChunkBytes = int64_t{8} << 20;

class TaskMaker {
 public:
  TaskMaker(const TensorSource& source, const ModelConfig& config,
            const WeightLayout& layout)
      : source_(source), config_(config), layout_(layout) {}

  // float32 elements [slot.offset, + slot.size) of `blob`.
  void Vector(const std::string& tensor, const VectorSlot& slot,
              absl::Span<char> blob) {
    if (slot.size == 0) return;
    Convert(tensor, 0, slot.size, DType::kFloat32,
            blob.subspan(slot.offset, slot.size * SizeOf(DType::kFloat32)));
  }

  void Piece(const WeightPiece& piece, int64_t layer, absl::Span<char> blob) {
    const std::string tensor = TensorName(config_, piece.weight, layer);
    const DType dtype = Info(tensor).dtype;
    const absl::Span<char> packed = blob.subspan(piece.offset, piece.bytes);
    Add(tensor, piece.first_row, piece.shape.n,
        [layout = &layout_, shape = piece.shape, dtype,
         packed](absl::Span<const char> rows) {
          return layout->Pack(shape, dtype, rows, packed);
        });
  }

  void Table(const std::string& tensor, const TablePlan& table,
             absl::Span<char> out) {
    const int64_t chunk_rows =
        std::max<int64_t>(kTableChunkBytes / table.row_bytes(), 1);
    for (int64_t row = 0; row < table.rows; row += chunk_rows) {
      const int64_t num_rows = std::min(chunk_rows, table.rows - row);
      Convert(
          tensor, row, num_rows, table.dtype,
          out.subspan(row * table.row_bytes(), num_rows * table.row_bytes()));
    }
  }

  std::vector<LoadTask> Take() { return std::move(tasks_); }

 private:
  const TensorInfo& Info(absl::string_view tensor) const {
    const TensorInfo* info = source_.Find(tensor);
    CHECK(info != nullptr) << tensor;
    return *info;
  }

  void Convert(const std::string& tensor, int64_t first_row, int64_t num_rows,
               DType to_dtype, absl::Span<char> out) {
    const TensorInfo& info = Info(tensor);
    const int64_t elements = num_rows * info.RowElements();
    CHECK_EQ(static_cast<int64_t>(out.size()), elements * SizeOf(to_dtype))
        << tensor;
    Add(tensor, first_row, num_rows,
        [from_dtype = info.dtype, to_dtype, out,
         elements](absl::Span<const char> rows) {
          ConvertElements(from_dtype, rows.data(), to_dtype, out.data(),
                          elements);
          return absl::OkStatus();
        });
  }

  void Add(const std::string& tensor, int64_t first_row, int64_t num_rows,
           std::function<absl::Status(absl::Span<const char>)> store) {
    const TensorInfo& info = Info(tensor);
    tasks_.push_back(
        {.tensor = tensor,
         .first_row = first_row,
         .num_rows = num_rows,
         .source_bytes = num_rows * info.RowElements() * SizeOf(info.dtype),
         .store = std::move(store)});
  }

  const TensorSource& source_;
  const ModelConfig& config_;
  const WeightLayout& layout_;
  std::vector<LoadTask> tasks_;
};

}  // namespace

std::vector<LoadTask> MakeLoadTasks(const TensorSource& source,
                                    const ModelConfig& config,
                                    const WeightPlan& plan,
                                    const WeightLayout& layout,
                                    const WeightSpans& into) {
  TaskMaker maker(source, config, layout);
  maker.Table(TensorName(config, OuterTensor::kTokenTable), plan.token_table,
              into.token_table);
  maker.Table(TensorName(config, OuterTensor::kPositionTable),
              plan.position_table, into.position_table);
  for (const WeightPiece& piece : plan.outer.project_in) {
    maker.Piece(piece, 0, into.outer);
  }
  for (const WeightPiece& piece : plan.outer.project_out) {
    maker.Piece(piece, 0, into.outer);
  }
  maker.Vector(TensorName(config, OuterTensor::kFinalNormGain),
               plan.outer.final_norm_gain, into.outer);
  maker.Vector(TensorName(config, OuterTensor::kFinalNormBias),
               plan.outer.final_norm_bias, into.outer);
  for (int64_t layer = 0; layer < plan.num_layers; ++layer) {
    const absl::Span<char> blob =
        into.layers.subspan(layer * plan.layer.bytes, plan.layer.bytes);
    for (int i = 0; i < kNumLayerVectors; ++i) {
      const auto vector = static_cast<LayerVector>(i);
      maker.Vector(TensorName(config, vector, layer), plan.layer.vector(vector),
                   blob);
    }
    for (const WeightPiece& piece : plan.layer.pieces) {
      maker.Piece(piece, layer, blob);
    }
  }
  for (const WeightPiece& slice : plan.head.slices) {
    maker.Piece(slice, 0, into.head);
  }
  return maker.Take();
}

}  // namespace hybridserve
