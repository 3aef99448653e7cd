#include "worker/offload/input_gatherer.h"

#include <algorithm>
#include <cstring>

#include "glog/logging.h"
#include "kernels/element_convert.h"

namespace hybridserve {

void InputGatherer::Gather(absl::Span<const GatherRow> rows,
                           absl::Span<float> hidden,
                           absl::Span<char> token_rows) const {
  const TablePlan& tokens = plan_.token_table;
  const TablePlan& positions = plan_.position_table;
  const bool projects = !plan_.outer.project_in.empty();
  for (size_t i = 0; i < rows.size(); ++i) {
    float* out = &hidden[i * config_.hidden];
    const bool has_position = positions.rows > 0;
    if (has_position) {
      AddRow(positions, *weights_.position_table,
             rows[i].position + config_.position_offset, false, out);
    }
    if (!projects) {
      AddRow(tokens, *weights_.token_table, rows[i].token, has_position, out);
      continue;
    }
    std::memcpy(&token_rows[i * tokens.row_bytes()],
                weights_.token_table->host_bytes().data() +
                    rows[i].token * tokens.row_bytes(),
                tokens.row_bytes());
  }
}

void InputGatherer::AddRow(const TablePlan& table, const Buffer& buffer,
                           int64_t row, bool add, float* out) const {
  CHECK(row >= 0 && row < table.rows) << row << " of " << table.rows;
  const char* bytes = buffer.host_bytes().data() + row * table.row_bytes();
  const auto put = [add, out](int64_t i, float value) {
    out[i] = add ? out[i] + value : value;
  };
  if (table.dtype == DType::kFloat32) {
    const float* values = reinterpret_cast<const float*>(bytes);
    for (int64_t i = 0; i < table.width; ++i) put(i, values[i]);
    return;
  }
  constexpr int64_t kChunk = 256;
  float values[kChunk];
  for (int64_t first = 0; first < table.width; first += kChunk) {
    const int64_t count = std::min(kChunk, table.width - first);
    ConvertElements(table.dtype, bytes + first * SizeOf(table.dtype),
                    DType::kFloat32, values, count);
    for (int64_t i = 0; i < count; ++i) put(first + i, values[i]);
  }
}

}  // namespace hybridserve
