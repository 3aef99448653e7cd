#ifndef HYBRIDSERVE_CLIENT_CLI_GENERATION_FLAGS_H_
#define HYBRIDSERVE_CLIENT_CLI_GENERATION_FLAGS_H_

#include "absl/status/statusor.h"
#include "client/generation_options.h"

namespace hybridserve {

// What generate and batch share: --max_tokens, --temperature and the like. The
// prompt is left to the caller. InvalidArgument naming the flag.
absl::StatusOr<GenerationOptions> GenerationFromFlags();

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_CLI_GENERATION_FLAGS_H_
