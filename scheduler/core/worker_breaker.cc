#include "scheduler/core/worker_breaker.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/status_details.h"
#include "glog/logging.h"

namespace hybridserve {

WorkerBreaker::WorkerBreaker(const Options& options) : options_(options) {
  CHECK_GE(options.most_failures, 1);
  CHECK_GE(options.most_names, 1);
}

absl::Status WorkerBreaker::Check(absl::string_view name,
                                  absl::Time now) const {
  const auto it = records_.find(name);
  if (it == records_.end() || it->second.set_aside_until <= now) {
    return absl::OkStatus();
  }
  const absl::Duration rest = it->second.set_aside_until - now;
  return WithRetryDelay(
      absl::UnavailableError(absl::StrCat(
          "worker ", name, " is set aside for ", absl::FormatDuration(rest),
          " after ", it->second.failures, " failures in a row")),
      rest);
}

void WorkerBreaker::CountFailure(absl::string_view name, absl::Time now) {
  Record& record = records_[name];
  ++record.failures;
  record.last_failure = now;
  if (record.failures >= options_.most_failures) {
    absl::Duration rest = options_.first_rest;
    for (int64_t i = options_.most_failures;
         i < record.failures && rest < options_.longest_rest; ++i) {
      rest *= 2;
    }
    rest = std::min(rest, options_.longest_rest);
    record.set_aside_until = now + rest;
    LOG(WARNING) << "worker set aside name=" << name
                 << " failures=" << record.failures << " rest=" << rest;
  }
  if (static_cast<int64_t>(records_.size()) > options_.most_names) {
    ForgetOldest();
  }
}

void WorkerBreaker::CountSuccess(absl::string_view name) {
  if (const auto it = records_.find(name); it != records_.end()) {
    records_.erase(it);
  }
}

void WorkerBreaker::ForgetOldest() {
  records_.erase(std::min_element(
      records_.begin(), records_.end(), [](const auto& a, const auto& b) {
        return a.second.last_failure < b.second.last_failure;
      }));
}

}  // namespace hybridserve
