#include "scheduler/rpc/core_call.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "scheduler/rpc/request_error.h"
#include "scheduler/rpc/text_observer.h"

namespace hybridserve {
namespace {

// The same moment on `clock`, whose times compare with no others.
absl::Time OnClock(std::chrono::system_clock::time_point deadline,
                   const Clock& clock) {
  if (deadline == std::chrono::system_clock::time_point::max()) {
    return absl::InfiniteFuture();
  }
  return clock.Now() + (absl::FromChrono(deadline) - absl::Now());
}

// Cuts a max_tokens that the client left open to what the workers can hold.
void CutToPools(const SchedulerCore& core, GenerationRequest& request) {
  const int64_t most = core.MaxRequestTokens(request.model).value_or(0);
  if (most <= 0) return;
  const int64_t room = most - static_cast<int64_t>(request.prompt.size());
  request.max_tokens = std::max<int64_t>(1, std::min(request.max_tokens, room));
}

}  // namespace

void CoreCall::Submit(const CallIdentity& identity,
                      absl::StatusOr<PreparedRequest> prepared,
                      std::chrono::system_clock::time_point deadline,
                      GenerationSink& sink) {
  const RecordingEnvironment& recording = environment_.recording;
  std::optional<std::string> tenant;
  if (prepared.ok()) tenant = prepared->request.tenant;
  const auto refuse = [recording, identity, tenant,
                       &sink](const absl::Status& status) {
    RecordRefusal(recording, identity, tenant, status);
    sink.OnError(status);
  };
  absl::StatusOr<std::unique_ptr<TextObserver>> observer =
      prepared.ok()
          ? TextObserver::Create(
                *prepared,
                RequestRecorder(recording, identity, prepared->request), sink)
          : prepared.status();
  if (!observer.ok()) return refuse(observer.status());
  prepared->request.deadline = OnClock(deadline, recording.clock);
  open_.emplace(environment_.open_calls);
  const bool posted = environment_.core.Post(
      [prepared = *std::move(prepared), observer = *std::move(observer), refuse,
       submission = submission_](SchedulerCore& core) mutable {
        if (prepared.max_tokens_is_default && !prepared.request.is_score()) {
          CutToPools(core, prepared.request);
        }
        const std::string request_id = prepared.request.request_id;
        const std::string model = prepared.request.model;
        const absl::StatusOr<RequestKey> key =
            core.Submit(std::move(prepared.request), std::move(observer));
        if (key.ok()) {
          submission->key = *key;
          submission->live = true;
        } else {
          refuse(ExplainRequestError(key.status(), request_id, model));
        }
      });
  if (posted) return;  // The call may be gone already.
  open_.reset();
  refuse(absl::UnavailableError("the server has stopped"));
}

void CoreCall::Cancel() {
  environment_.core.Post([submission = submission_](SchedulerCore& core) {
    if (submission->live) core.Cancel(submission->key);
  });
}

}  // namespace hybridserve
