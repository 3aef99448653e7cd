#include "common/security/api_key_file.h"

#include <algorithm>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/flag_file.h"
#include "common/status_macros.h"
#include "glog/logging.h"

namespace hybridserve {
namespace {

absl::StatusOr<std::string> ReadKey(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFlagFile("api_key_file", path));
  const absl::string_view line(text.data(),
                               std::min(text.find('\n'), text.size()));
  std::string key(absl::StripAsciiWhitespace(line));
  const bool printable =
      std::all_of(key.begin(), key.end(), absl::ascii_isgraph);
  if (!key.empty() && printable) return key;
  return absl::InvalidArgumentError(absl::StrCat(
      "--api_key_file: ", path, ": the first line ",
      key.empty() ? "is empty" : "is not printable ASCII without spaces"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ApiKeyFile>> ApiKeyFile::Open(
    const std::string& path) {
  auto file = absl::WrapUnique(new ApiKeyFile(path));
  absl::MutexLock lock(&file->mutex_);
  // Before reading: a change after it is seen later.
  file->stamp_ = StampOf(path);
  ASSIGN_OR_RETURN(file->key_, ReadKey(path));
  return file;
}

std::string ApiKeyFile::Key() {
  absl::MutexLock lock(&mutex_);
  const FileStamp stamp = StampOf(path_);
  if (stamp == stamp_) return key_;
  stamp_ = stamp;
  absl::StatusOr<std::string> key = ReadKey(path_);
  if (key.ok()) {
    key_ = *std::move(key);
  } else {
    LOG(ERROR) << key.status().message() << "; the key before it stays in use";
  }
  return key_;
}

}  // namespace hybridserve
