#ifndef HYBRIDSERVE_SCHEDULER_SCHEDULER_OPTIONS_H_
#define HYBRIDSERVE_SCHEDULER_SCHEDULER_OPTIONS_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/core/scheduler_core.h"
#include "scheduler/policy/policy.h"

namespace hybridserve {

// PEM files of a server or a client.
struct TlsFiles {
  std::string certificate_file;  // Chain, leaf first.
  std::string key_file;          // Its private key.
  // Certificates that the other end must come from. For a server: clients must
  // have one (mTLS); empty: they need none.
  std::string ca_file;

  bool empty() const { return certificate_file.empty() && key_file.empty(); }
};

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
  // Serves in the clear on other than loopback addresses.
  bool insecure = false;
  TlsFiles tls;
  // Accepted in `authorization: Bearer KEY`. Empty: everybody is welcome.
  std::vector<std::string> api_keys;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_SCHEDULER_OPTIONS_H_
