#ifndef HYBRIDSERVE_SCHEDULER_RPC_SNAPSHOT_METRICS_H_
#define HYBRIDSERVE_SCHEDULER_RPC_SNAPSHOT_METRICS_H_

#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "hybridserve/v1/load.pb.h"
#include "prometheus/collectable.h"
#include "prometheus/metric_family.h"

namespace hybridserve {

// The server's load as Prometheus metrics, made whenever they are asked for.
//
// Thread-safe.
class SnapshotMetrics final : public prometheus::Collectable {
 public:
  // Nothing: the server has stopped. Called from any thread.
  using LoadSource = std::function<std::optional<v1::Load>()>;

  explicit SnapshotMetrics(LoadSource source) : source_(std::move(source)) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const LoadSource source_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_SNAPSHOT_METRICS_H_
