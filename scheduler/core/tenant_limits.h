#ifndef HYBRIDSERVE_SCHEDULER_CORE_TENANT_LIMITS_H_
#define HYBRIDSERVE_SCHEDULER_CORE_TENANT_LIMITS_H_

#include <cstdint>
#include <optional>

namespace hybridserve {

// What one tenant may have at a time. Not set: no limit but everybody's.
struct TenantLimits {
  std::optional<int64_t> max_live_requests;  // Queued and running; >= 0.
  // Prompts and max_tokens among its queued requests; >= 0.
  std::optional<int64_t> max_queued_tokens;
  std::optional<int32_t> max_priority;  // Higher ones are cut to it.

  friend bool operator==(const TenantLimits&, const TenantLimits&) = default;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_CORE_TENANT_LIMITS_H_
