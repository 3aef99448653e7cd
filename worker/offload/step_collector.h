#ifndef HYBRIDSERVE_WORKER_OFFLOAD_STEP_COLLECTOR_H_
#define HYBRIDSERVE_WORKER_OFFLOAD_STEP_COLLECTOR_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "common/ids.h"
#include "common/step_plan.h"
#include "common/step_result.h"
#include "kernels/device/device.h"
#include "worker/offload/step_layout.h"
#include "worker/offload/workspace.h"

namespace hybridserve {

// A step that the engine has issued, or refused.
struct IssuedStep {
  Fence fence;
  absl::Status status;  // Not OK: nothing runs, this is the answer.
  std::vector<SequenceId> sequences;  // As in the plan.
  StepLayout layout;
  StepStats stats;  // Bytes and counts; the collector adds times.
  absl::Time begun;
  int parity = 0;
  // Complete when the results are in the host buffers of `parity`; null: there
  // is nothing to wait for. Borrowed.
  Event* ready = nullptr;
};

// A token that a sequence sampled.
struct SampledToken {
  SequenceId sequence;
  int32_t token = -1;
};

// What the sequences of `step` sampled; nothing of a step that failed.
std::vector<SampledToken> SampledTokens(const IssuedStep& step,
                                        const StepResult& result);

// Waits for issued steps in order and delivers their results from a thread of
// its own, so that the engine's waiting never holds a result back.
// Thread-safe, but for Start() and Stop().
class StepCollector {
 public:
  using ResultCallback = std::function<void(StepResult)>;

  // Streams whose busy time goes into the results' stats. All is borrowed.
  struct Streams {
    const Stream* compute = nullptr;
    const Stream* copy_in = nullptr;
    const Stream* copy_out = nullptr;
  };
  StepCollector(const Workspace& workspace, int64_t vocab_size,
                const Streams& streams, const Clock& clock)
      : workspace_(workspace),
        vocab_size_(vocab_size),
        streams_(streams),
        clock_(clock) {}
  ~StepCollector() { Stop(); }

  void Start(ResultCallback on_result);
  // Delivers what was pushed, then ends the thread.
  void Stop();

  void Push(std::unique_ptr<IssuedStep> step);

  // Waits for the step and returns its result: for callers without Start().
  StepResult Collect(const IssuedStep& step);

  // Blocks until `num_steps` pushed steps, refused ones included, are done;
  // returns the tokens sampled since the last call, in order, or the first
  // error of the device. The callback of the last of these steps may still run.
  absl::StatusOr<std::vector<SampledToken>> Await(int64_t num_steps);

 private:
  void Loop();
  // Reads the host buffers. Internal if a token is none.
  absl::Status ReadOutputs(const IssuedStep& step, StepResult& result);
  // The same for the likeliest ids, where they are wanted.
  absl::Status ReadTop(const IssuedStep& step, StepResult& result);
  void AddTimes(const IssuedStep& step, StepResult& result);

  const Workspace& workspace_;
  const int64_t vocab_size_;
  const Streams streams_;
  const Clock& clock_;
  ResultCallback on_result_;

  absl::Mutex mutex_;
  std::deque<std::unique_ptr<IssuedStep>> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t done_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<SampledToken> sampled_ ABSL_GUARDED_BY(mutex_);
  absl::Status device_status_ ABSL_GUARDED_BY(mutex_);

  // Of the collector's thread: totals at the last step's end.
  absl::Time last_end_ = absl::InfinitePast();
  absl::Duration compute_before_;
  absl::Duration copy_in_before_;
  absl::Duration copy_out_before_;
  PerWorkKind<WorkTotals> work_before_;
  std::thread thread_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_OFFLOAD_STEP_COLLECTOR_H_
