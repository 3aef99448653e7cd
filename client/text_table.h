#ifndef HYBRIDSERVE_CLIENT_TEXT_TABLE_H_
#define HYBRIDSERVE_CLIENT_TEXT_TABLE_H_

#include <string>
#include <vector>

namespace hybridserve {

// Rows of cells, as wide as their longest; the first row is the head, the first
// column left-aligned, the others right-aligned. Thread-compatible.
class TextTable {
 public:
  // Rows may differ in length.
  void AddRow(std::vector<std::string> cells);

  // A line a row, two spaces between columns.
  std::string ToString() const;

 private:
  std::vector<int> widths_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_TEXT_TABLE_H_
