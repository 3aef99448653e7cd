#include "worker/offload/input_gatherer.h"

#include <cstring>

#include "glog/logging.h"

namespace hybridserve {
namespace {

float FromBFloat16(uint16_t bits) {
  const uint32_t wide = uint32_t{bits} << 16;
  float value;
  std::memcpy(&value, &wide, sizeof(value));
  return value;
}

}  // namespace

void InputGatherer::Gather(absl::Span<const GatherRow> rows,
                           absl::Span<float> hidden,
                           absl::Span<char> token_rows) const {
  const TablePlan& tokens = plan_.token_table;
  const TablePlan& positions = plan_.position_table;
  const bool projects = !plan_.outer.project_in.empty();
  for (size_t i = 0; i < rows.size(); ++i) {
    float* out = &hidden[i * config_.hidden];
    AddRow(positions, *weights_.position_table,
           rows[i].position + config_.position_offset, false, out);
    if (!projects) {
      AddRow(tokens, *weights_.token_table, rows[i].token, true, out);
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
  CHECK(table.dtype == DType::kBFloat16) << Name(table.dtype);
  const uint16_t* values = reinterpret_cast<const uint16_t*>(bytes);
  for (int64_t i = 0; i < table.width; ++i) put(i, FromBFloat16(values[i]));
}

}  // namespace hybridserve
