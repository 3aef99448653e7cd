#ifndef HYBRIDSERVE_COMMON_STATUS_DETAILS_H_
#define HYBRIDSERVE_COMMON_STATUS_DETAILS_H_

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// What an error carries beside its code and message, as absl::Status payloads
// of plain text. `*/rpc/` turns them into google.rpc details: the field into
// BadRequest, the delay into RetryInfo. An OK status carries nothing.

namespace hybridserve {

// The request field at fault, as the API spells it: "sampling.top_p".
inline constexpr absl::string_view kFieldPayloadUrl = "hybridserve/field";
// When to try again: text that absl::ParseDuration reads, "1s".
inline constexpr absl::string_view kRetryDelayPayloadUrl =
    "hybridserve/retry_delay";

// INVALID_ARGUMENT about `field`: "FIELD: REASON".
inline absl::Status InvalidFieldError(absl::string_view field,
                                      absl::string_view reason) {
  absl::Status status =
      absl::InvalidArgumentError(absl::StrCat(field, ": ", reason));
  status.SetPayload(kFieldPayloadUrl, absl::Cord(field));
  return status;
}

// `status` that asks its reader to try again after `delay`.
inline absl::Status WithRetryDelay(absl::Status status, absl::Duration delay) {
  status.SetPayload(kRetryDelayPayloadUrl,
                    absl::Cord(absl::FormatDuration(delay)));
  return status;
}

// The field that `status` names, if it names one.
inline std::optional<std::string> FieldOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kFieldPayloadUrl);
  if (!payload.has_value()) return std::nullopt;
  std::string field(*payload);
  return field;
}

// The delay that `status` asks for, if it asks for one.
inline std::optional<absl::Duration> RetryDelayOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kRetryDelayPayloadUrl);
  if (!payload.has_value()) return std::nullopt;
  const std::string text(*payload);
  absl::Duration delay;
  if (!absl::ParseDuration(text, &delay)) return std::nullopt;
  return delay;
}

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_STATUS_DETAILS_H_
