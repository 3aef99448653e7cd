#include "common/security/tenant_name.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"

namespace hybridserve {
namespace {

constexpr size_t kMaxBytes = 64;

bool IsTenantByte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return absl::ascii_isalnum(byte) || c == '.' || c == '_' || c == '-';
}

}  // namespace

bool IsTenantName(absl::string_view name) {
  return !name.empty() && name.size() <= kMaxBytes &&
         std::all_of(name.begin(), name.end(), IsTenantByte);
}

}  // namespace hybridserve
