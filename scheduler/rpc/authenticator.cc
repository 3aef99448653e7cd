#include "scheduler/rpc/authenticator.h"

#include <iterator>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/security/tenant_name.h"
#include "common/status_macros.h"
#include "glog/logging.h"
#include "grpcpp/server_context.h"

namespace hybridserve {
namespace {

constexpr absl::string_view kScheme = "Bearer ";

absl::string_view ToView(const grpc::string_ref& text) {
  return {text.data(), text.size()};
}

// The first bearer key of a call.
std::optional<absl::string_view> KeyOf(
    const Authenticator::Metadata& metadata) {
  const auto [begin, end] = metadata.equal_range("authorization");
  for (auto it = begin; it != end; ++it) {
    const absl::string_view value = ToView(it->second);
    if (absl::StartsWithIgnoreCase(value, kScheme)) {
      return value.substr(kScheme.size());
    }
  }
  return std::nullopt;
}

absl::Status CheckRole(const ApiKey& key, Action action) {
  const auto refuse = [](absl::string_view what) {
    return absl::PermissionDeniedError(
        absl::StrCat("this API key is not for ", what));
  };
  switch (action) {
    case Action::kInfer:
      return key.inference ? absl::OkStatus() : refuse("inference");
    case Action::kLook:
      return key.inference || key.control ? absl::OkStatus()
                                          : refuse("inference or control");
    case Action::kControl:
      return key.control ? absl::OkStatus() : refuse("control");
    case Action::kWork:
      return key.worker ? absl::OkStatus() : refuse("workers");
  }
  LOG(FATAL) << "no such action: " << static_cast<int>(action);
}

// The tenant that the call names; empty if it names none.
absl::StatusOr<std::string> NamedTenant(
    const Authenticator::Metadata& metadata) {
  const auto [begin, end] = metadata.equal_range(kTenantHeader);
  if (begin == end) return std::string();
  const absl::string_view name = ToView(begin->second);
  if (std::next(begin) == end && IsTenantName(name)) return std::string{name};
  return absl::InvalidArgumentError(
      absl::StrCat("metadata ", kTenantHeader, ": ", kTenantNameRule));
}

absl::StatusOr<std::string> TenantOf(const ApiKey* key,
                                     const Authenticator::Metadata& metadata) {
  ASSIGN_OR_RETURN(std::string named, NamedTenant(metadata));
  if (key == nullptr || key->names_tenant) return named;
  if (named.empty() || named == key->tenant) return key->tenant;
  return absl::PermissionDeniedError(absl::StrCat(
      "this API key may not act for the tenant of ", kTenantHeader));
}

}  // namespace

void Authenticator::Replace(ApiKeys keys) {
  auto shared = std::make_shared<const ApiKeys>(std::move(keys));
  absl::MutexLock lock(&mutex_);
  keys_ = std::move(shared);
}

absl::StatusOr<Caller> Authenticator::Check(const Metadata& metadata,
                                            Action action) const {
  const std::shared_ptr<const ApiKeys> keys = this->keys();
  const ApiKey* key = nullptr;
  if (keys != nullptr) {
    const std::optional<absl::string_view> shown = KeyOf(metadata);
    if (shown.has_value()) key = keys->Find(*shown);
    if (key == nullptr) {
      return absl::UnauthenticatedError(
          "the call needs an API key: metadata `authorization: Bearer KEY`");
    }
    RETURN_IF_ERROR(CheckRole(*key, action));
  }
  Caller caller;
  if (action != Action::kInfer) return caller;
  ASSIGN_OR_RETURN(caller.tenant, TenantOf(key, metadata));
  if (keys != nullptr) caller.limits = keys->LimitsOf(caller.tenant);
  return caller;
}

absl::StatusOr<Caller> Authenticator::Check(
    const grpc::CallbackServerContext& context, Action action) const {
  return Check(context.client_metadata(), action);
}

std::shared_ptr<const ApiKeys> Authenticator::keys() const {
  absl::MutexLock lock(&mutex_);
  return keys_;
}

}  // namespace hybridserve
