#include "scheduler/rpc/call_identity.h"

#include <algorithm>
#include <iterator>

#include "absl/random/random.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "scheduler/rpc/trace_context.h"

namespace hybridserve {
namespace {

using Metadata = std::multimap<grpc::string_ref, grpc::string_ref>;

constexpr int64_t kMadeBytes = 17;  // Of MakeRequestId(), after the prefix.

// Empty unless there is exactly one.
absl::string_view OnlyValueOf(absl::string_view key, const Metadata& metadata) {
  const auto [begin, end] =
      metadata.equal_range(grpc::string_ref(key.data(), key.size()));
  if (std::distance(begin, end) != 1) return "";
  return {begin->second.data(), begin->second.size()};
}

}  // namespace

bool IsRequestId(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxRequestIdBytes &&
         std::all_of(text.begin(), text.end(), absl::ascii_isgraph);
}

std::string MakeRequestId(absl::string_view prefix) {
  absl::BitGen bits;
  return absl::StrFormat("%s-%016x", prefix, absl::Uniform<uint64_t>(bits));
}

CallIdentity IdentifyCall(const Metadata& metadata,
                          absl::string_view request_id) {
  CallIdentity identity;
  const absl::string_view prefix = OnlyValueOf(kRequestIdMetadata, metadata);
  if (IsRequestId(request_id)) {
    identity.request_id = std::string{request_id};
  } else if (IsRequestId(prefix) &&
             prefix.size() <= kMaxRequestIdBytes - kMadeBytes) {
    identity.request_id = MakeRequestId(prefix);
  } else {
    identity.request_id = MakeRequestId();
  }
  identity.trace_id =
      ParseTraceId(OnlyValueOf("traceparent", metadata)).value_or("");
  return identity;
}

}  // namespace hybridserve
