#include "scheduler/rpc/api_keys.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/flag_error.h"
#include "common/flag_file.h"
#include "common/security/tenant_name.h"
#include "common/sha256.h"
#include "common/status_macros.h"
#include "openssl/crypto.h"

namespace hybridserve {
namespace {

constexpr absl::string_view kDigestPrefix = "sha256:";
constexpr absl::string_view kNoKey = "-";
constexpr absl::string_view kAnyTenant = "*";
constexpr size_t kDigestDigits = 64;
constexpr absl::string_view kOptions[] = {
    "tenant=", "roles=", "max_requests=", "max_queued_tokens=",
    "max_priority="};

absl::Status BadLine(int line, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("line ", line, ": ", why));
}

absl::StatusOr<std::string> DigestOf(int line, absl::string_view word) {
  if (!absl::ConsumePrefix(&word, kDigestPrefix)) {
    if (std::all_of(word.begin(), word.end(), absl::ascii_isgraph)) {
      return Sha256Hex(word);
    }
    return BadLine(line, "the key is not printable ASCII");
  }
  std::string digest = absl::AsciiStrToLower(word);
  const bool hex =
      std::all_of(digest.begin(), digest.end(), absl::ascii_isxdigit);
  if (digest.size() == kDigestDigits && hex) return digest;
  return BadLine(line, "sha256: takes 64 hex digits");
}

absl::Status SetRoles(int line, absl::string_view roles, ApiKey& key) {
  for (const absl::string_view role : absl::StrSplit(roles, ',')) {
    if (role == "inference") {
      key.inference = true;
    } else if (role == "control") {
      key.control = true;
    } else if (role == "worker") {
      key.worker = true;
    } else {
      return BadLine(line, "roles= takes inference, control and worker");
    }
  }
  return absl::OkStatus();
}

absl::Status SetTenant(int line, absl::string_view tenant, ApiKey& key) {
  key.names_tenant = tenant == kAnyTenant;
  if (key.names_tenant) return absl::OkStatus();
  if (!IsTenantName(tenant)) {
    return BadLine(line, absl::StrCat("tenant= ", kTenantNameRule, ", nor *"));
  }
  key.tenant = std::string{tenant};
  return absl::OkStatus();
}

template <typename Int>
absl::Status SetNumber(int line, absl::string_view name, absl::string_view text,
                       Int least, std::optional<Int>& value) {
  Int number = 0;
  if (!absl::SimpleAtoi(text, &number) || number < least) {
    return BadLine(line, absl::StrCat(name, "= is not a whole number",
                                      least == 0 ? " from 0 up" : ""));
  }
  value = number;
  return absl::OkStatus();
}

// Takes over what `more` sets. False if both set a limit and not to the same.
template <typename Int>
bool Merge(const std::optional<Int>& more, std::optional<Int>& limit) {
  if (!more.has_value()) return true;
  if (limit.has_value() && *limit != *more) return false;
  limit = more;
  return true;
}

}  // namespace

struct ApiKeys::Line {
  ApiKey key;  // sha256 empty: limits alone.
  TenantLimits limits;

  absl::Status SetOption(absl::string_view name, absl::string_view value) {
    if (name == "roles") return SetRoles(key.line, value, key);
    if (name == "tenant") return SetTenant(key.line, value, key);
    if (name == "max_requests") {
      return SetNumber<int64_t>(key.line, name, value, 0,
                                limits.max_live_requests);
    }
    if (name == "max_queued_tokens") {
      return SetNumber<int64_t>(key.line, name, value, 0,
                                limits.max_queued_tokens);
    }
    if (name == "max_priority") {
      return SetNumber<int32_t>(key.line, name, value,
                                std::numeric_limits<int32_t>::min(),
                                limits.max_priority);
    }
    return BadLine(key.line, absl::StrCat("after the key there is something "
                                          "else than ",
                                          absl::StrJoin(kOptions, ", ")));
  }

  absl::Status Check() const {
    const bool limited = limits != TenantLimits();
    if (limited && key.tenant.empty()) {
      return BadLine(key.line, "limits are a tenant's: tenant=NAME is missing");
    }
    if (!key.sha256.empty()) return absl::OkStatus();
    if (!limited || key.inference || key.control || key.worker) {
      return BadLine(key.line, "\"-\" stands for limits without a key");
    }
    return absl::OkStatus();
  }

  static absl::StatusOr<Line> Parse(int number, absl::string_view text);
};

absl::StatusOr<ApiKeys::Line> ApiKeys::Line::Parse(int number,
                                                   absl::string_view text) {
  const std::vector<absl::string_view> words =
      absl::StrSplit(text, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  Line line;
  line.key.line = number;
  for (const absl::string_view option : kOptions) {
    // Not a key that everybody could guess.
    if (absl::StartsWith(words.front(), option)) {
      return BadLine(number, "there is an option where the key belongs");
    }
  }
  if (words.front() != kNoKey) {
    ASSIGN_OR_RETURN(line.key.sha256, DigestOf(number, words.front()));
  }
  for (size_t i = 1; i < words.size(); ++i) {
    const std::pair<absl::string_view, absl::string_view> option =
        absl::StrSplit(words[i], absl::MaxSplits('=', 1));
    for (size_t j = 1; j < i; ++j) {
      if (absl::StartsWith(words[j], absl::StrCat(option.first, "="))) {
        return BadLine(number, "an option is given twice");
      }
    }
    RETURN_IF_ERROR(line.SetOption(option.first, option.second));
  }
  ApiKey& key = line.key;
  if (!key.sha256.empty() && !key.inference && !key.control && !key.worker) {
    // Alone on its line a key may do everything; one of a tenant just what
    // tenants do.
    key.inference = true;
    key.control = words.size() == 1;
    key.worker = words.size() == 1;
  }
  RETURN_IF_ERROR(line.Check());
  return line;
}

absl::StatusOr<ApiKeys> ApiKeys::Parse(absl::string_view text) {
  ApiKeys keys;
  int number = 0;
  for (const absl::string_view untrimmed : absl::StrSplit(text, '\n')) {
    ++number;
    const absl::string_view line = absl::StripAsciiWhitespace(untrimmed);
    if (line.empty() || line.front() == '#') continue;
    ASSIGN_OR_RETURN(const Line parsed, Line::Parse(number, line));
    RETURN_IF_ERROR(keys.Add(parsed));
  }
  if (keys.keys_.empty()) return absl::InvalidArgumentError("there is no key");
  return keys;
}

absl::StatusOr<ApiKeys> ApiKeys::Read(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFlagFile("api_keys", path));
  absl::StatusOr<ApiKeys> keys = Parse(text);
  if (keys.ok()) return keys;
  return WrongFlag("api_keys",
                   absl::StrCat(path, ": ", keys.status().message()));
}

absl::Status ApiKeys::Add(const Line& line) {
  RETURN_IF_ERROR(AddLimits(line));
  if (line.key.sha256.empty()) return absl::OkStatus();
  for (const ApiKey& known : keys_) {
    if (known.sha256 == line.key.sha256) {
      return BadLine(line.key.line,
                     absl::StrCat("the key of line ", known.line, " again"));
    }
  }
  keys_.push_back(line.key);
  return absl::OkStatus();
}

absl::Status ApiKeys::AddLimits(const Line& line) {
  if (line.key.tenant.empty()) return absl::OkStatus();
  TenantLimits& limits = limits_[line.key.tenant];
  const bool agree =
      Merge(line.limits.max_live_requests, limits.max_live_requests) &&
      Merge(line.limits.max_queued_tokens, limits.max_queued_tokens) &&
      Merge(line.limits.max_priority, limits.max_priority);
  if (agree) return absl::OkStatus();
  return BadLine(line.key.line, "the tenant has other limits on a line before");
}

const ApiKey* ApiKeys::Find(absl::string_view key) const {
  const std::string sha256 = Sha256Hex(key);
  const ApiKey* found = nullptr;
  // All of them, each to its end: time tells nothing.
  for (const ApiKey& known : keys_) {
    const bool same =
        CRYPTO_memcmp(sha256.data(), known.sha256.data(), kDigestDigits) == 0;
    found = same ? &known : found;
  }
  return found;
}

TenantLimits ApiKeys::LimitsOf(absl::string_view tenant) const {
  const auto it = limits_.find(tenant);
  return it == limits_.end() ? TenantLimits() : it->second;
}

}  // namespace hybridserve
