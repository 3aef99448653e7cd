#ifndef HYBRIDSERVE_SCHEDULER_CORE_TESTING_CORE_HARNESS_H_
#define HYBRIDSERVE_SCHEDULER_CORE_TESTING_CORE_HARNESS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/ids.h"
#include "common/testing/fake_clock.h"
#include "common/worker_info.h"
#include "gtest/gtest.h"
#include "scheduler/core/request.h"
#include "scheduler/core/scheduler_core.h"
#include "scheduler/core/testing/fake_worker.h"
#include "scheduler/core/testing/recording_observer.h"
#include "scheduler/policy/policy.h"

namespace hybridserve {

// A core with a fake clock and fake workers, driven event by event.
//
// Thread-compatible.
class CoreHarness {
 public:
  explicit CoreHarness(
      SchedulerOptions options = {},
      std::unique_ptr<Policy> policy = ParsePolicy("hybrid", 0.37).value())
      : options_(options), core_(options, std::move(policy), clock_) {}

  SchedulerCore& core() { return core_; }
  FakeClock& clock() { return clock_; }

  // Connects a worker; the fake lives as long as the harness. Those that are
  // given no name have one each.
  absl::StatusOr<WorkerId> AddWorker(FakeWorkerOptions options = {}) {
    if (options.name.empty()) {
      options.name = absl::StrCat("fake/", ++num_workers_);
    }
    auto worker = std::make_unique<FakeWorker>(FakeWorkerInfo(options),
                                               options_.prefill_chunk_tokens);
    auto id = core_.AddWorker(worker->info(), worker->MakeLink());
    if (id.ok()) workers_[*id] = std::move(worker);
    return id;
  }
  FakeWorker& worker(WorkerId id) { return *workers_.at(id); }
  absl::btree_map<WorkerId, std::unique_ptr<FakeWorker>>& workers() {
    return workers_;
  }

  // Submits; the record stays empty if that is refused.
  std::shared_ptr<RequestRecord> Submit(GenerationRequest request,
                                        int64_t stop_after = INT64_MAX) {
    auto record = std::make_shared<RequestRecord>();
    last_submit_ =
        core_.Submit(std::move(request),
                     std::make_unique<RecordingObserver>(record, stop_after));
    return record;
  }
  const absl::StatusOr<RequestKey>& last_submit() const { return last_submit_; }

  // Runs the worker's oldest plan and hands in its result.
  void Step(WorkerId id) { core_.OnResult(id, worker(id).RunNext()); }

  // Steps all connected workers in turn until none has a plan.
  void RunUntilQuiet() {
    for (bool again = true; again;) {
      again = false;
      for (auto& [id, worker] : workers_) {
        if (!worker->connected() || worker->outstanding() == 0) continue;
        Step(id);
        again = true;
      }
    }
  }

 private:
  FakeClock clock_;
  int64_t num_workers_ = 0;
  const SchedulerOptions options_;
  absl::btree_map<WorkerId, std::unique_ptr<FakeWorker>> workers_;
  SchedulerCore core_;
  absl::StatusOr<RequestKey> last_submit_ = RequestKey();
};

// A prompt of `length` tokens, each set of them different by `salt`.
inline std::vector<int32_t> MakePrompt(int64_t length, int32_t salt = 0) {
  std::vector<int32_t> prompt(length);
  for (int64_t i = 0; i < length; ++i) {
    prompt[i] = static_cast<int32_t>((i * 7 + int64_t{salt} * 13 + 3) % 100);
  }
  return prompt;
}

// A greedy request that no token ends early.
inline GenerationRequest MakeRequest(int64_t prompt, int64_t max_tokens,
                                     int32_t salt = 0) {
  GenerationRequest request;
  request.prompt = MakePrompt(prompt, salt);
  request.max_tokens = max_tokens;
  request.ignore_eos = true;
  request.sampling.seed = 7 + salt;
  return request;
}

// Nothing runs, and every slot, plan and sequence has been given back.
inline void ExpectAtRest(CoreHarness& harness) {
  EXPECT_TRUE(harness.core().idle());
  for (const WorkerSnapshot& worker : harness.core().Snapshot().workers) {
    for (const PoolSnapshot& pool : worker.pools) {
      EXPECT_EQ(pool.free + pool.cached, pool.half_slots) << worker.id;
      EXPECT_EQ(pool.kv_blocks + pool.act_blocks, 0) << worker.id;
    }
    EXPECT_EQ(harness.worker(worker.id).num_sequences(), 0);
    EXPECT_EQ(harness.worker(worker.id).num_used_half_slots(), 0);
    EXPECT_EQ(worker.outstanding_plans, 0);
  }
}

// The tokens that fake workers of this class give `request`, eos id 2.
inline std::vector<int32_t> ExpectedTokens(const GenerationRequest& request,
                                           const NumericsClass& numerics,
                                           int64_t vocab_size = 100) {
  std::vector<int32_t> all = request.prompt;
  std::vector<int32_t> tokens;
  while (static_cast<int64_t>(tokens.size()) < request.max_tokens) {
    const int32_t token =
        FakeToken(all, request.sampling.seed, numerics, vocab_size);
    all.push_back(token);
    tokens.push_back(token);
    bool stops = token == 2 && !request.ignore_eos;
    for (const int32_t id : request.stop_token_ids) stops |= token == id;
    if (stops && static_cast<int64_t>(tokens.size()) >= request.min_tokens) {
      break;
    }
  }
  return tokens;
}

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_CORE_TESTING_CORE_HARNESS_H_
