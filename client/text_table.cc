#include "client/text_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace hybridserve {

void TextTable::AddRow(std::vector<std::string> cells) {
  widths_.resize(std::max(widths_.size(), cells.size()));
  for (size_t i = 0; i < cells.size(); ++i) {
    widths_[i] = std::max(widths_[i], static_cast<int>(cells[i].size()));
  }
  rows_.push_back(std::move(cells));
}

std::string TextTable::ToString() const {
  std::string text;
  for (const std::vector<std::string>& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      absl::StrAppendFormat(&text, "%s%*s", i == 0 ? "" : "  ",
                            i == 0 ? -widths_[i] : widths_[i], row[i]);
    }
    absl::StrAppend(&text, "\n");
  }
  return text;
}

}  // namespace hybridserve
