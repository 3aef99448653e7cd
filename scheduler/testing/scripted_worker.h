#ifndef HYBRIDSERVE_SCHEDULER_TESTING_SCRIPTED_WORKER_H_
#define HYBRIDSERVE_SCHEDULER_TESTING_SCRIPTED_WORKER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "common/step_plan.h"
#include "common/step_result.h"
#include "common/wire/worker_info_wire.h"
#include "common/worker_info.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "hybridserve/worker/v1/worker_link_service.grpc.pb.h"

namespace hybridserve {

// The files of a model whose tokens 0 to 255 are the bytes of text and whose
// token 256, "</s>", is bos, eos and special; 128 positions.
ModelFiles ByteModelFiles();
inline constexpr int32_t kByteModelEos = 256;

// A worker of that model on the other side of a real gRPC connection. Its n-th
// token of any sequence is the n-th byte of a script, over and over; a
// scored position's log-prob is minus the id.
//
// Thread-safe.
class ScriptedWorker {
 public:
  struct Options {
    std::string script = "the quick brown fox ";
    std::string model_name = "bytes";
    std::string weights_hash = std::string(64, 'a');
    uint64_t epoch = 1;
    uint32_t wire_revision = kWireRevision;
    std::string api_key;
    int32_t half_slots = 256;  // Of the host pool; blocks of 16 tokens.
    // What to register instead.
    std::function<void(ModelFiles&)> change_files;
  };

  // Dials at once and registers.
  ScriptedWorker(const std::shared_ptr<grpc::Channel>& channel,
                 Options options);
  // Hangs up.
  ~ScriptedWorker();
  ScriptedWorker(const ScriptedWorker&) = delete;
  ScriptedWorker& operator=(const ScriptedWorker&) = delete;

  // Keeps its results back until Resume(); plans are still heard.
  void Pause();
  void Resume();

  // Sequences that the plans have named and not released.
  int64_t num_sequences() const;
  // Waits for that to become `count`.
  void WaitForSequences(int64_t count) const;

  // Announces that it is to go.
  void Leave();
  // Shows that it lives; nobody else does so for it.
  void SendHeartbeat();

  // Waits for the end of the connection and returns why it came.
  absl::Status WaitUntilRefused();

 private:
  void Run();
  void Register();
  // Keeps count of the plan's sequences and makes up a result.
  StepResult Answer(const StepPlan& plan) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Send(worker::v1::ConnectRequest message)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Send(const StepResult& result) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  const std::unique_ptr<worker::v1::WorkerLinkService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<worker::v1::ConnectRequest,
                                           worker::v1::ConnectResponse>>
      stream_;

  mutable absl::Mutex mutex_;
  bool paused_ ABSL_GUARDED_BY(mutex_) = false;
  bool hung_up_ ABSL_GUARDED_BY(mutex_) = false;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status end_ ABSL_GUARDED_BY(mutex_);
  std::vector<StepResult> held_back_ ABSL_GUARDED_BY(mutex_);
  absl::btree_map<SequenceId, int64_t> produced_ ABSL_GUARDED_BY(mutex_);

  std::thread thread_;  // Last: it uses the rest.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_TESTING_SCRIPTED_WORKER_H_
