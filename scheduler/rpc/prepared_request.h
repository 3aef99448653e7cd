#ifndef HYBRIDSERVE_SCHEDULER_RPC_PREPARED_REQUEST_H_
#define HYBRIDSERVE_SCHEDULER_RPC_PREPARED_REQUEST_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "scheduler/core/request.h"
#include "scheduler/rpc/served_models.h"

namespace hybridserve {
namespace v1 {
class GenerateRequest;
class ScoreRequest;
}  // namespace v1

inline constexpr int64_t kMaxStopConditions = 16;
inline constexpr int64_t kMaxStopTextBytes = 256;
inline constexpr int64_t kMaxTextBytes = int64_t{16} << 20;

// A request of the API in the core's terms, with what is needed to make text
// of its answer.
struct PreparedRequest {
  GenerationRequest request;  // request_id is never empty. No deadline yet.
  std::shared_ptr<const ServedModel> model;
  std::vector<std::string> stop_texts;
  // The client left it open: request.max_tokens is the default for the model's
  // longest sequence, to be cut to what the workers' pools take.
  bool max_tokens_is_default = false;
};

// Checks all that the core does not (it checks numbers and lengths), tokenizes
// the prompt and fills in defaults. InvalidArgument naming the field, NotFound
// or Unavailable as ServedModels::Find().
absl::StatusOr<PreparedRequest> PrepareGenerate(
    const v1::GenerateRequest& request, const ServedModels& models);
absl::StatusOr<PreparedRequest> PrepareScore(const v1::ScoreRequest& request,
                                             const ServedModels& models);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_PREPARED_REQUEST_H_
