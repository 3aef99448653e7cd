#include "client/doctor/system_tree.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace hybridserve {

std::optional<std::string> SystemTree::Read(absl::string_view path) const {
  std::ifstream file(absl::StrCat(root_, path));
  if (!file) return std::nullopt;
  std::string content(std::istreambuf_iterator<char>(file), {});
  absl::StripAsciiWhitespace(&content);
  return content;
}

std::optional<int64_t> SystemTree::ReadNumber(absl::string_view path) const {
  const std::optional<std::string> text = Read(path);
  int64_t number = 0;
  if (!text.has_value() || !absl::SimpleAtoi(*text, &number)) {
    return std::nullopt;
  }
  return number;
}

std::optional<std::string> SystemTree::ReadField(absl::string_view path,
                                                 absl::string_view key) const {
  const std::string text = Read(path).value_or("");
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!absl::ConsumePrefix(&line, key) || line.empty()) continue;
    if (!absl::ConsumePrefix(&line, ":") && !absl::ascii_isspace(line[0])) {
      continue;
    }
    return std::string(absl::StripAsciiWhitespace(line));
  }
  return std::nullopt;
}

std::vector<std::string> SystemTree::List(absl::string_view path) const {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(absl::StrCat(root_, path), error)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace hybridserve
