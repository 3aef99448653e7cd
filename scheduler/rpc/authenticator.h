#ifndef HYBRIDSERVE_SCHEDULER_RPC_AUTHENTICATOR_H_
#define HYBRIDSERVE_SCHEDULER_RPC_AUTHENTICATOR_H_

#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/support/string_ref.h"
#include "scheduler/core/tenant_limits.h"
#include "scheduler/rpc/api_keys.h"

namespace grpc {
class CallbackServerContext;
}  // namespace grpc

namespace hybridserve {

// What a call is about to do.
enum class Action {
  kInfer,    // Run or tokenize something.
  kLook,     // See models, workers and load.
  kControl,  // Abort requests, drain the server.
  kWork,     // Connect as a worker.
};

// Who makes a call.
struct Caller {
  std::string tenant;  // Empty: the common tenant.
  TenantLimits limits;
};

// Says who makes a call and whether they may, by API keys that may be replaced
// while it runs.
//
// Thread-safe.
class Authenticator {
 public:
  using Metadata = std::multimap<grpc::string_ref, grpc::string_ref>;

  // Until keys are given everybody may do everything.
  Authenticator() = default;
  Authenticator(const Authenticator&) = delete;
  Authenticator& operator=(const Authenticator&) = delete;

  // From now on calls need one of these.
  void Replace(ApiKeys keys);

  // The caller, by `authorization: Bearer KEY` and, where the key lets a call
  // say it, x-hybridserve-tenant. Takes as long whichever key is wrong or
  // right.
  //   UNAUTHENTICATED    no key, or none that is known.
  //   PERMISSION_DENIED  the key is not for `action` or not for that tenant.
  //   INVALID_ARGUMENT   the tenant is no name.
  absl::StatusOr<Caller> Check(const Metadata& metadata, Action action) const;
  absl::StatusOr<Caller> Check(const grpc::CallbackServerContext& context,
                               Action action) const;

 private:
  std::shared_ptr<const ApiKeys> keys() const;

  mutable absl::Mutex mutex_;
  // Shared with calls that look into them while they are replaced. Null: none.
  std::shared_ptr<const ApiKeys> keys_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_AUTHENTICATOR_H_
