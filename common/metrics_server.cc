#include "common/metrics_server.h"

#include <exception>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/process_metrics.h"
#include "prometheus/collectable.h"
#include "prometheus/exposer.h"

namespace hybridserve {

absl::StatusOr<std::unique_ptr<MetricsServer>> MetricsServer::Create(
    const std::string& listen) {
  const size_t colon = listen.rfind(':');
  int port = 0;
  if (colon == std::string::npos || colon == 0 ||
      !absl::SimpleAtoi(listen.substr(colon + 1), &port) || port < 0 ||
      port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("--metrics_listen: \"", listen, "\" is not HOST:PORT"));
  }
  std::unique_ptr<prometheus::Exposer> exposer;
  // The library reports by exceptions; they stay here.
  try {
    exposer = std::make_unique<prometheus::Exposer>(listen, 1);
  } catch (const std::exception& error) {
    return absl::UnavailableError(absl::StrCat(
        "--metrics_listen: cannot listen on ", listen, ": ", error.what()));
  }
  const std::vector<int> ports = exposer->GetListeningPorts();
  if (!ports.empty()) port = ports.front();
  return std::unique_ptr<MetricsServer>(new MetricsServer(
      std::move(exposer), absl::StrCat(listen.substr(0, colon), ":", port)));
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
