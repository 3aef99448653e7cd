#ifndef HYBRIDSERVE_CLIENT_DOCTOR_SYSTEM_TREE_H_
#define HYBRIDSERVE_CLIENT_DOCTOR_SYSTEM_TREE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace hybridserve {

// /proc and /sys, or a recording of them under another root. Thread-safe.
class SystemTree {
 public:
  explicit SystemTree(std::string root = "") : root_(std::move(root)) {}

  // The content of `path`, which begins with a slash, without the spaces around
  // it. Nothing if it can't be read.
  std::optional<std::string> Read(absl::string_view path) const;

  // The number that is all of the content.
  std::optional<int64_t> ReadNumber(absl::string_view path) const;

  // The value of the line "KEY: value" or "KEY value" of `path`.
  std::optional<std::string> ReadField(absl::string_view path,
                                       absl::string_view key) const;

  // Names in the folder `path`, sorted; none if there is no such folder.
  std::vector<std::string> List(absl::string_view path) const;

  const std::string& root() const { return root_; }

 private:
  std::string root_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_DOCTOR_SYSTEM_TREE_H_
