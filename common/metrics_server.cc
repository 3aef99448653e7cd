#include "common/metrics_server.h"

#include <exception>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/listen_address.h"
#include "common/process_metrics.h"
#include "common/status_macros.h"
#include "prometheus/collectable.h"
#include "prometheus/exposer.h"

namespace hybridserve {

absl::StatusOr<std::unique_ptr<MetricsServer>> MetricsServer::Create(
    const std::string& listen) {
  ASSIGN_OR_RETURN(const ListenAddress address,
                   ParseListenFlag("metrics_listen", listen));
  std::unique_ptr<prometheus::Exposer> exposer;
  // The library reports by exceptions; they stay here.
  try {
    exposer = std::make_unique<prometheus::Exposer>(listen, 1);
  } catch (const std::exception& error) {
    return absl::UnavailableError(absl::StrCat(
        "--metrics_listen: cannot listen on ", listen, ": ", error.what()));
  }
  const std::vector<int> ports = exposer->GetListeningPorts();
  const int port = ports.empty() ? address.port : ports.front();
  return std::unique_ptr<MetricsServer>(
      new MetricsServer(std::move(exposer), address.WithPort(port)));
}

MetricsServer::MetricsServer(std::unique_ptr<prometheus::Exposer> exposer,
                             std::string address)
    : process_metrics_(std::make_shared<ProcessMetrics>()),
      exposer_(std::move(exposer)),
      address_(std::move(address)) {
  Add(process_metrics_);
}

MetricsServer::~MetricsServer() = default;

void MetricsServer::Add(const std::weak_ptr<prometheus::Collectable>& metrics) {
  exposer_->RegisterCollectable(metrics);
}

}  // namespace hybridserve
