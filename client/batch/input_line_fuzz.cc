#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "client/batch/input_line.h"
#include "glog/logging.h"

// The input is a line of a batch file. Whatever it is, it makes a request of
// one prompt, or the reason why not; and its id can be written again.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const hybridserve::InputLine line = hybridserve::ParseInputLine(7, text);
  CHECK_EQ(line.number, 7);
  // Throws what is not UTF-8.
  static_cast<void>(line.id.dump());
  if (!line.status.ok()) {
    CHECK(absl::IsInvalidArgument(line.status)) << line.status;
    CHECK(!line.status.message().empty());
    return 0;
  }
  CHECK_EQ(line.prompt.has_value(), line.token_ids.empty());
  return 0;
}
