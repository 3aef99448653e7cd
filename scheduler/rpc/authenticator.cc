#include "scheduler/rpc/authenticator.h"

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "common/sha256.h"
#include "grpcpp/server_context.h"

namespace hybridserve {
namespace {

constexpr absl::string_view kScheme = "Bearer ";

}  // namespace

Authenticator::Authenticator(const std::vector<std::string>& keys) {
  for (const std::string& key : keys) digests_.push_back(Sha256Hex(key));
}

absl::Status Authenticator::Check(
    const grpc::CallbackServerContext& context) const {
  if (digests_.empty()) return absl::OkStatus();
  const auto [begin, end] =
      context.client_metadata().equal_range("authorization");
  for (auto it = begin; it != end; ++it) {
    const absl::string_view value(it->second.data(), it->second.size());
    if (!absl::StartsWithIgnoreCase(value, kScheme)) continue;
    // Comparing digests tells nothing about the key.
    const std::string digest = Sha256Hex(value.substr(kScheme.size()));
    for (const std::string& known : digests_) {
      if (digest == known) return absl::OkStatus();
    }
  }
  return absl::UnauthenticatedError(
      "the call needs an API key: metadata `authorization: Bearer KEY`");
}

}  // namespace hybridserve
