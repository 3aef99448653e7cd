#include "client/bench/run_costs.h"

#include <cstddef>
#include <cstdint>
#include <map>

#include "client/bench/ideal_time.h"
#include "client/bench/step_figures.h"
#include "glog/logging.h"

namespace hybridserve {
void SetIdealsOfTheRun(const std::vector<PassResult>& warm_ups,
                       std::vector<BenchResult>& results) {
  CHECK_EQ(warm_ups.size(), results.size());
  std::map<int64_t, std::vector<v1::WorkerProfile>> measured;  // By setting.
  for (size_t i = 0; i < results.size(); ++i) {
    auto& profiles = measured[results[i].worker_setting];
    profiles.push_back(warm_ups[i].worker.profile());
    for (const PassResult& pass : results[i].passes) {
      profiles.push_back(pass.worker.profile());
    }
  }
  for (BenchResult& result : results) {
    const v1::WorkerProfile costs = MeanCosts(measured[result.worker_setting]);
    for (PassResult& pass : result.passes) {
      if (pass.decode.has_value()) SetIdeal(costs, *pass.decode);
    }
  }
}

}  // namespace hybridserve
