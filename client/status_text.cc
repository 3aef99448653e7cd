#include "client/status_text.h"

#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/grpc_status.h"
#include "common/status_details.h"

namespace hybridserve {
namespace {

std::string OneLine(absl::string_view code, absl::string_view message) {
  return absl::StrCat(code, ": ",
                      absl::StrReplaceAll(message, {{"\n", " "}, {"\r", ""}}));
}

}  // namespace

absl::string_view CodeName(grpc::StatusCode code) {
  static constexpr absl::string_view kNames[] = {"OK",
                                                 "CANCELLED",
                                                 "UNKNOWN",
                                                 "INVALID_ARGUMENT",
                                                 "DEADLINE_EXCEEDED",
                                                 "NOT_FOUND",
                                                 "ALREADY_EXISTS",
                                                 "PERMISSION_DENIED",
                                                 "RESOURCE_EXHAUSTED",
                                                 "FAILED_PRECONDITION",
                                                 "ABORTED",
                                                 "OUT_OF_RANGE",
                                                 "UNIMPLEMENTED",
                                                 "INTERNAL",
                                                 "UNAVAILABLE",
                                                 "DATA_LOSS",
                                                 "UNAUTHENTICATED"};
  const int index = static_cast<int>(code);
  return index >= 0 && index < static_cast<int>(std::size(kNames))
             ? kNames[index]
             : "UNKNOWN";
}

std::string Describe(const grpc::Status& status) {
  return OneLine(CodeName(status.error_code()), status.error_message());
}

std::string Describe(const absl::Status& status) {
  return OneLine(absl::StatusCodeToString(status.code()), status.message());
}

bool IsRetryable(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::ABORTED:
      return true;
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return RetryDelayOf(FromGrpcStatus(status)).has_value();
    default:
      return false;
  }
}

}  // namespace hybridserve
