#include "scheduler/rpc/tenant_labels.h"

#include "absl/strings/escaping.h"

namespace hybridserve {

std::string TenantLabels::LabelOf(const std::string& tenant) {
  if (tenant.empty()) return tenant;
  absl::MutexLock lock(&mutex_);
  if (!known_.contains(tenant)) {
    if (static_cast<int64_t>(known_.size()) >= max_tenants_) return "other";
    known_.insert(tenant);
  }
  return absl::CEscape(tenant);
}

}  // namespace hybridserve
