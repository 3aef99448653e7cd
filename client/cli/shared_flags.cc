#include "client/cli/shared_flags.h"

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "common/flag_error.h"

ABSL_FLAG(std::string, model, "",
          "The model's name; not needed where the server has one.");
ABSL_FLAG(std::string, output, "text", "How to print: text or json.");
ABSL_FLAG(std::optional<uint64_t>, seed, std::nullopt,
          "Makes draws repeatable.");
ABSL_FLAG(std::string, input, "", "batch, score: the file to read.");
ABSL_FLAG(std::optional<int64_t>, window, std::nullopt,
          "batch: requests in flight at once (64). score: tokens of a window "
          "(the model's limit, at most 2048, less one).");

namespace hybridserve {

absl::StatusOr<OutputFormat> FormatFromFlags() {
  const std::string format = absl::GetFlag(FLAGS_output);
  if (format == "text") return OutputFormat::kText;
  if (format == "json") return OutputFormat::kJson;
  return WrongFlag("output",
                   absl::StrCat("\"", format, "\" is neither text nor json"));
}

}  // namespace hybridserve
