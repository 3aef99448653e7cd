#include "client/openai/call_metadata.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/random/random.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/security/tenant_name.h"
#include "common/status_details.h"

namespace hybridserve::openai {
namespace {

constexpr absl::string_view kBearer = "Bearer ";
constexpr size_t kMaxKeyBytes = 4096;
// The server appends 17 bytes to it, and takes ids of 128.
constexpr size_t kMaxRequestIdBytes = 111;
constexpr size_t kMaxTraceparentBytes = 256;

bool IsPrintable(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), absl::ascii_isgraph);
}

bool FitsAs(absl::string_view text, size_t max_bytes) {
  return !text.empty() && text.size() <= max_bytes && IsPrintable(text);
}

}  // namespace

void CallMetadata::AddTo(grpc::ClientContext& context) const {
  context.AddMetadata("x-request-id", request_id);
  if (!authorization.empty()) {
    context.AddMetadata("authorization", authorization);
  }
  if (!traceparent.empty()) context.AddMetadata("traceparent", traceparent);
  if (!tenant.empty()) context.AddMetadata(kTenantHeader, tenant);
}

absl::StatusOr<CallMetadata> MakeCallMetadata(const CallHeaders& headers) {
  CallMetadata metadata;
  metadata.request_id = FitsAs(headers.request_id, kMaxRequestIdBytes)
                            ? std::string{headers.request_id}
                            : MakeId("req-");
  if (FitsAs(headers.traceparent, kMaxTraceparentBytes)) {
    metadata.traceparent = std::string{headers.traceparent};
  }
  // Other schemes mean nothing to the server.
  if (absl::StartsWithIgnoreCase(headers.authorization, kBearer)) {
    const absl::string_view key = absl::StripAsciiWhitespace(
        headers.authorization.substr(kBearer.size()));
    if (!FitsAs(key, kMaxKeyBytes)) {
      return absl::UnauthenticatedError("the API key can't be one");
    }
    metadata.authorization = absl::StrCat(kBearer, key);
  }
  return metadata;
}

absl::StatusOr<std::string> TenantOfUser(absl::string_view user) {
  if (IsTenantName(user)) return std::string{user};
  return InvalidFieldError("user", kTenantNameRule);
}

std::string MakeId(absl::string_view prefix) {
  absl::BitGen bits;
  return absl::StrFormat("%s%016x", prefix, absl::Uniform<uint64_t>(bits));
}

}  // namespace hybridserve::openai
