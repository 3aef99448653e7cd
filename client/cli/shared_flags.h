#ifndef HYBRIDSERVE_CLIENT_CLI_SHARED_FLAGS_H_
#define HYBRIDSERVE_CLIENT_CLI_SHARED_FLAGS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/flags/declare.h"
#include "absl/status/statusor.h"
#include "client/commands/command.h"

// Flags of several commands.
ABSL_DECLARE_FLAG(std::string, model);
ABSL_DECLARE_FLAG(std::string, output);
ABSL_DECLARE_FLAG(std::optional<uint64_t>, seed);
ABSL_DECLARE_FLAG(std::string, input);
ABSL_DECLARE_FLAG(std::optional<int64_t>, window);

namespace hybridserve {

// What --output says. InvalidArgument naming it.
absl::StatusOr<OutputFormat> FormatFromFlags();

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_CLI_SHARED_FLAGS_H_
