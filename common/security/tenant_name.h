#ifndef HYBRIDSERVE_COMMON_SECURITY_TENANT_NAME_H_
#define HYBRIDSERVE_COMMON_SECURITY_TENANT_NAME_H_

#include "absl/strings/string_view.h"

namespace hybridserve {

// The call metadata in which a client says for whom it asks.
inline constexpr char kTenantHeader[] = "x-hybridserve-tenant";

// Whether `name` can be a tenant's: 1 to 64 of A-Z a-z 0-9 . _ -
bool IsTenantName(absl::string_view name);

// The rule, to end a sentence: "is not ...".
inline constexpr char kTenantNameRule[] =
    "is not 1 to 64 letters, digits, '.', '_' or '-'";

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_SECURITY_TENANT_NAME_H_
