#include "common/security/caller_identity.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/security/api_key_file.h"
#include "common/security/tenant_name.h"
#include "common/status_macros.h"
#include "grpcpp/support/interceptor.h"

namespace hybridserve {
namespace {

namespace grpcx = grpc::experimental;

// Adds the identity to one call's first metadata. Not by call credentials:
// gRPC sends those over TLS only, and a trusted network may do without.
class IdentityInterceptor final : public grpcx::Interceptor {
 public:
  // Both outlive the call, as its channel does.
  IdentityInterceptor(ApiKeyFile* key_file, const std::string& tenant)
      : key_file_(key_file), tenant_(tenant) {}

  void Intercept(grpcx::InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(
            grpcx::InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      auto& metadata = *methods->GetSendInitialMetadata();
      if (key_file_ != nullptr) {
        metadata.emplace("authorization",
                         absl::StrCat("Bearer ", key_file_->Key()));
      }
      if (!tenant_.empty()) metadata.emplace(kTenantHeader, tenant_);
    }
    methods->Proceed();
  }

 private:
  ApiKeyFile* const key_file_;  // Null: none.
  const std::string& tenant_;
};

class IdentityFactory final : public grpcx::ClientInterceptorFactoryInterface {
 public:
  IdentityFactory(std::unique_ptr<ApiKeyFile> key_file, std::string tenant)
      : key_file_(std::move(key_file)), tenant_(std::move(tenant)) {}

  // gRPC owns the result.
  grpcx::Interceptor* CreateClientInterceptor(grpcx::ClientRpcInfo*) override {
    return new IdentityInterceptor(key_file_.get(), tenant_);
  }

 private:
  const std::unique_ptr<ApiKeyFile> key_file_;
  const std::string tenant_;
};

}  // namespace

absl::StatusOr<
    std::vector<std::unique_ptr<grpcx::ClientInterceptorFactoryInterface>>>
MakeIdentityInterceptors(const CallerIdentity& identity) {
  std::vector<std::unique_ptr<grpcx::ClientInterceptorFactoryInterface>> result;
  if (!identity.tenant.empty() && !IsTenantName(identity.tenant)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--tenant: \"", identity.tenant, "\" ", kTenantNameRule));
  }
  std::unique_ptr<ApiKeyFile> key_file;
  if (!identity.api_key_file.empty()) {
    ASSIGN_OR_RETURN(key_file, ApiKeyFile::Open(identity.api_key_file));
  }
  if (key_file != nullptr || !identity.tenant.empty()) {
    result.push_back(std::make_unique<IdentityFactory>(std::move(key_file),
                                                       identity.tenant));
  }
  return result;
}

}  // namespace hybridserve
