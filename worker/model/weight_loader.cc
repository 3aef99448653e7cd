#include "worker/model/weight_loader.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "common/model_config.h"
#include "common/size.h"
#include "glog/logging.h"
#include "kernels/weight_layout.h"
#include "worker/model/host_weights.h"
#include "worker/model/load_tasks.h"
#include "worker/model/tensor_source.h"
#include "worker/model/weight_plan.h"
#include "worker/model/weights_hash.h"

// Threads take tasks in order. The hash needs the bytes one after the other, so
// a thread of its own reads them again, close behind or ahead: from the
// system's file cache for one of the two, whose pages it shares.

namespace hybridserve {
namespace {

constexpr absl::Duration kLogInterval = absl::Seconds(1);

// Counts bytes, and tells the log and the caller. Thread-safe.
class Progress {
 public:
  Progress(int64_t total_bytes, const LoadOptions& options, const Clock& clock)
      : total_bytes_(total_bytes),
        options_(options),
        clock_(clock),
        start_(clock.Now()),
        last_log_(start_) {}

  void Add(int64_t bytes) {
    absl::MutexLock lock(&mutex_);
    done_bytes_ += bytes;
    if (options_.progress != nullptr) {
      options_.progress(done_bytes_, total_bytes_);
    }
    const absl::Time now = clock_.Now();
    if (now - last_log_ < kLogInterval) return;
    last_log_ = now;
    const double done =
        static_cast<double>(done_bytes_) / static_cast<double>(total_bytes_);
    const absl::Duration left = (now - start_) / done * (1 - done);
    LOG(INFO) << "loading weights: " << static_cast<int>(100 * done) << "% ("
              << FormatSize(done_bytes_) << " of " << FormatSize(total_bytes_)
              << "), " << absl::ToInt64Seconds(left) + 1 << " s left";
  }

  void LogEnd() {
    absl::MutexLock lock(&mutex_);
    LOG(INFO) << "weights loaded: " << FormatSize(total_bytes_) << " in "
              << absl::FormatDuration(
                     absl::Trunc(clock_.Now() - start_, absl::Milliseconds(1)));
  }

 private:
  const int64_t total_bytes_;
  const LoadOptions& options_;
  const Clock& clock_;
  const absl::Time start_;
  absl::Mutex mutex_;
  int64_t done_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Time last_log_ ABSL_GUARDED_BY(mutex_);
};

// Runs tasks on several threads until they are done or one fails.
class Runner {
 public:
  Runner(const TensorSource& source, std::vector<LoadTask> tasks,
         Progress& progress)
      : source_(source), tasks_(std::move(tasks)), progress_(progress) {}

  // What each thread does.
  void Work() {
    while (!failed_) {
      const size_t i = next_++;
      if (i >= tasks_.size()) return;
      const LoadTask& task = tasks_[i];
      const absl::Status status = source_.ReadRows(task.tensor, task.first_row,
                                                   task.num_rows, task.store);
      if (!status.ok()) {
        Fail(absl::Status(status.code(),
                          absl::StrCat(source_.origin(), ": tensor ",
                                       task.tensor, ": ", status.message())));
        return;
      }
      progress_.Add(task.source_bytes);
    }
  }

  // The first failure counts, and stops the others.
  void Fail(absl::Status status) {
    absl::MutexLock lock(&mutex_);
    if (status_.ok()) status_ = std::move(status);
    failed_ = true;
  }

  const std::atomic<bool>& failed() const { return failed_; }
  absl::Status status() {
    absl::MutexLock lock(&mutex_);
    return status_;
  }

 private:
  const TensorSource& source_;
  const std::vector<LoadTask> tasks_;
  Progress& progress_;
  std::atomic<size_t> next_ = 0;
  std::atomic<bool> failed_ = false;
  absl::Mutex mutex_;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

void CheckSizes(const WeightPlan& plan, const WeightSpans& into) {
  const auto size = [](absl::Span<char> span) {
    return static_cast<int64_t>(span.size());
  };
  CHECK_EQ(size(into.layers), plan.num_layers * plan.layer.bytes);
  CHECK_EQ(size(into.head), plan.head.bytes);
  CHECK_EQ(size(into.outer), plan.outer.bytes);
  CHECK_EQ(size(into.token_table), plan.token_table.bytes());
  CHECK_EQ(size(into.position_table), plan.position_table.bytes());
}

}  // namespace

absl::StatusOr<std::string> LoadWeights(const TensorSource& source,
                                        const ModelConfig& config,
                                        absl::string_view config_json,
                                        const WeightPlan& plan,
                                        const WeightLayout& layout,
                                        const WeightSpans& into,
                                        const LoadOptions& options) {
  CHECK_GE(options.num_threads, 1);
  CheckSizes(plan, into);
  std::vector<LoadTask> tasks =
      MakeLoadTasks(source, config, plan, layout, into);
  int64_t total_bytes = 0;
  for (const LoadTask& task : tasks) total_bytes += task.source_bytes;

  const SystemClock system_clock;
  Progress progress(total_bytes, options,
                    options.clock == nullptr ? system_clock : *options.clock);
  Runner runner(source, std::move(tasks), progress);
  std::string hash;
  std::thread hasher([&] {
    absl::StatusOr<std::string> result =
        HashWeights(source, config, config_json, runner.failed());
    if (result.ok()) {
      hash = *std::move(result);
    } else {
      runner.Fail(result.status());
    }
  });
  std::vector<std::thread> threads;
  for (int i = 1; i < options.num_threads; ++i) {
    threads.emplace_back([&runner] { runner.Work(); });
  }
  runner.Work();
  for (std::thread& thread : threads) thread.join();
  hasher.join();
  if (!runner.status().ok()) return runner.status();
  progress.LogEnd();
  return hash;
}

}  // namespace hybridserve
