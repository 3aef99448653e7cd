#ifndef HYBRIDSERVE_SCHEDULER_RPC_TENANT_LABELS_H_
#define HYBRIDSERVE_SCHEDULER_RPC_TENANT_LABELS_H_

#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"

namespace hybridserve {

// Label values of tenants, so many at the most: a series a tenant stays in
// memory, and in Prometheus, for ever.
//
// Thread-safe.
class TenantLabels {
 public:
  // `max_tenants` >= 0.
  explicit TenantLabels(int64_t max_tenants) : max_tenants_(max_tenants) {}

  // The tenant's name, what is not printable ASCII escaped as in C, if it is
  // one of the first that were asked for; "other" for all that come later.
  // Empty, the common tenant, is always itself.
  std::string LabelOf(const std::string& tenant);

 private:
  const int64_t max_tenants_;
  absl::Mutex mutex_;
  absl::flat_hash_set<std::string> known_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_TENANT_LABELS_H_
