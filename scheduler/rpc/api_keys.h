#ifndef HYBRIDSERVE_SCHEDULER_RPC_API_KEYS_H_
#define HYBRIDSERVE_SCHEDULER_RPC_API_KEYS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "scheduler/core/tenant_limits.h"

namespace hybridserve {

// What the holder of a key may do and for whom. The key itself is not kept.
struct ApiKey {
  std::string sha256;  // Of the key, 64 lower-case hex digits.
  int line = 0;        // In its file, from 1.
  // Roles. Control is Abort and Drain; a worker may connect as one.
  bool inference = false;
  bool control = false;
  bool worker = false;
  // Whose its requests are; empty: the common tenant's...
  std::string tenant;
  bool names_tenant = false;  // ... or the one that the call names.
};

// The keys of a file, one a line; see docs/security.md:
//
//   # everything, for the common tenant
//   KEY
//   KEY     tenant=alice roles=inference max_requests=8
//   sha256:HEX  tenant=* roles=inference,control
//   -       tenant=bob max_queued_tokens=100000 max_priority=0
//
// Immutable.
class ApiKeys {
 public:
  // InvalidArgument "line N: ..." for a bad line, a key given twice, limits of
  // a tenant that contradict each other; or if there is no key. Quotes nothing
  // of the text, in which any word may be a key.
  static absl::StatusOr<ApiKeys> Parse(absl::string_view text);

  // Parse() on a file; errors name --api_keys and the path as well.
  static absl::StatusOr<ApiKeys> Read(const std::string& path);

  // The entry of `key`, or null. Takes as long whichever it is, if any.
  const ApiKey* Find(absl::string_view key) const;

  // None set for a tenant without.
  TenantLimits LimitsOf(absl::string_view tenant) const;

  int64_t size() const { return static_cast<int64_t>(keys_.size()); }

 private:
  struct Line;

  absl::Status Add(const Line& line);
  absl::Status AddLimits(const Line& line);

  std::vector<ApiKey> keys_;
  absl::flat_hash_map<std::string, TenantLimits> limits_;  // By tenant.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_API_KEYS_H_
