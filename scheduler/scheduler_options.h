#ifndef HYBRIDSERVE_SCHEDULER_SCHEDULER_OPTIONS_H_
#define HYBRIDSERVE_SCHEDULER_SCHEDULER_OPTIONS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "common/security/tls_files.h"
#include "scheduler/core/scheduler_core.h"
#include "scheduler/policy/policy.h"

namespace hybridserve {

inline constexpr int64_t kDefaultMaxMessageBytes = int64_t{64} << 20;
// A worker's registration comes in messages of up to a MiB.
inline constexpr int64_t kMinMaxMessageBytes = int64_t{2} << 20;
inline constexpr int64_t kMaxMaxMessageBytes = int64_t{1} << 30;

// What a SchedulerServer is made from.
struct SchedulerServerOptions {
  // Queue, batching and failover. `term` 0: the server chooses one, from the
  // time of day, so that it is larger than that of any scheduler before.
  SchedulerOptions core{.term = 0};
  std::unique_ptr<Policy> policy;  // Not null.
  // For GetServerInfo: as --policy=hybrid's --act_ratio; not set: auto.
  std::optional<double> act_ratio;

  // HOST:PORT to serve on, port 0: any. Empty: in-process channels only.
  std::string listen;
  // HOST:PORT of Prometheus's /metrics. Empty: none.
  std::string metrics_listen;
  // One INFO line a request, at its end (scheduler/rpc/request_log.h).
  bool log_requests = false;
  // Tokens in a message of a stream, but for its first and last: more cost the
  // scheduler less and come later. At least 1.
  int64_t stream_interval = 1;
  // Serves in the clear on other than loopback addresses.
  bool insecure = false;
  TlsFiles tls;
  // File of API keys (scheduler/rpc/api_keys.h), read again when it changes.
  // Empty: everybody is welcome.
  std::string api_keys_file;
  // Largest message taken from a client or a worker, bytes; within the limits
  // above.
  int64_t max_message_bytes = kDefaultMaxMessageBytes;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_SCHEDULER_OPTIONS_H_
