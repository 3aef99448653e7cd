#ifndef HYBRIDSERVE_CLIENT_TEXT_FILE_H_
#define HYBRIDSERVE_CLIENT_TEXT_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hybridserve {

// Writes `text` as the file's whole content; nothing if `path` is empty.
// Unavailable, naming the path, if it can't.
absl::Status WriteTextFile(const std::string& path, absl::string_view text);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_TEXT_FILE_H_
