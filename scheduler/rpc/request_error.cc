#include "scheduler/rpc/request_error.h"

#include <utility>

#include "common/grpc_status.h"

namespace hybridserve {

absl::Status ExplainRequestError(absl::Status status,
                                 const std::string& request_id,
                                 const std::string& model) {
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      return WithResourceInfo(std::move(status), "model", model);
    case absl::StatusCode::kAlreadyExists:
      return WithResourceInfo(std::move(status), "request", request_id);
    case absl::StatusCode::kResourceExhausted:
      return WithQuotaFailure(std::move(status), "queue");
    case absl::StatusCode::kAborted:
      return WithErrorInfo(std::move(status), "WORKER_LOST");
    case absl::StatusCode::kInternal:
      return WithErrorInfo(std::move(status), "WORKER_FAILED");
    default:
      return status;
  }
}

}  // namespace hybridserve
