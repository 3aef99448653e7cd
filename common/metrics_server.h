#ifndef HYBRIDSERVE_COMMON_METRICS_SERVER_H_
#define HYBRIDSERVE_COMMON_METRICS_SERVER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace prometheus {
class Collectable;
class Exposer;
}  // namespace prometheus

namespace hybridserve {

// Serves /metrics for Prometheus over HTTP: those of the process
// (process_metrics.h), and what is added.
//
// Thread-safe.
class MetricsServer {
 public:
  // Serves on HOST:PORT, port 0: any. InvalidArgument if it is not that,
  // Unavailable if it can't be bound; both name the flag --metrics_listen.
  static absl::StatusOr<std::unique_ptr<MetricsServer>> Create(
      const std::string& listen);
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;
  ~MetricsServer();

  // Serves what `metrics` collects, too, while somebody else owns it.
  void Add(const std::weak_ptr<prometheus::Collectable>& metrics);

  // HOST:PORT with the real port.
  const std::string& address() const { return address_; }

 private:
  MetricsServer(std::unique_ptr<prometheus::Exposer> exposer,
                std::string address);

  const std::shared_ptr<prometheus::Collectable> process_metrics_;
  const std::unique_ptr<prometheus::Exposer> exposer_;
  const std::string address_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_METRICS_SERVER_H_
