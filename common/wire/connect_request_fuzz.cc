#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/step_result.h"
#include "common/wire/model_files_wire.h"
#include "common/wire/step_plan_wire.h"
#include "common/wire/step_result_wire.h"
#include "common/wire/worker_info_wire.h"
#include "common/worker_info.h"
#include "glog/logging.h"
#include "google/protobuf/io/coded_stream.h"
#include "hybridserve/worker/v1/fence.pb.h"
#include "hybridserve/worker/v1/worker_link_service.pb.h"

namespace hybridserve {
namespace {

namespace pb = worker::v1;

// What the scheduler hears of one worker.
class Connection {
 public:
  void Hear(const pb::ConnectRequest& message) {
    switch (message.message_case()) {
      case pb::ConnectRequest::kHello:
        hello_ok_ = CheckHello(message.hello()).ok();
        hello_ = message.hello();
        break;
      case pb::ConnectRequest::kFileChunk:
        static_cast<void>(files_.Add(message.file_chunk()));
        break;
      case pb::ConnectRequest::kRegister:
        if (hello_ok_) HearRegister(message);
        break;
      case pb::ConnectRequest::kStepResult:
        HearResult(message);
        break;
      case pb::ConnectRequest::kLoadProgress:
      case pb::ConnectRequest::kHeartbeat:
      case pb::ConnectRequest::kLeave:
      case pb::ConnectRequest::MESSAGE_NOT_SET:
        break;
    }
  }

 private:
  void HearRegister(const pb::ConnectRequest& message) {
    absl::StatusOr<ModelFiles> files = files_.Finish(message.register_());
    const absl::StatusOr<WorkerInfo> info = WorkerInfoFromWire(
        hello_, message.fence().epoch(),
        files.ok() ? *std::move(files) : ModelFiles(), message.register_());
    if (!info.ok()) return;
    CHECK_GE(info->max_step_tokens, 1);
    CHECK_GE(info->max_logit_rows, 1);
    CHECK_GE(info->numerics.block_tokens, 1);
    CHECK(!std::isnan(info->profile.link_bytes_per_second));
    // Said again, it is the same.
    pb::Register again;
    WorkerInfoToWire(*info, again);
    const absl::StatusOr<WorkerInfo> twice =
        WorkerInfoFromWire(hello_, info->epoch, info->files, again);
    CHECK(twice.ok()) << twice.status();
    CHECK_EQ(twice->pools.size(), info->pools.size());
  }

  static void HearResult(const pb::ConnectRequest& message) {
    const absl::StatusOr<StepResult> result = StepResultFromWire(
        FenceFromWire(message.fence()), message.step_result());
    if (!result.ok()) return;
    CHECK(result->status.ok() || result->sequences.empty());
    CHECK_GE(result->stats.wall, absl::ZeroDuration());
    for (const SequenceResult& sequence : result->sequences) {
      CHECK_GE(sequence.token, -1);
    }
  }

  pb::Hello hello_;
  bool hello_ok_ = false;
  ModelFilesAssembler files_;
};

}  // namespace
}  // namespace hybridserve

// The input is what a worker sends over one connection: ConnectRequests, each
// after its size as a varint. Whatever they are, nothing crashes, and what is
// accepted is in range.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  google::protobuf::io::CodedInputStream input(data, static_cast<int>(size));
  hybridserve::Connection connection;
  uint32_t bytes = 0;
  while (input.ReadVarint32(&bytes)) {
    const auto limit = input.PushLimit(static_cast<int>(bytes));
    hybridserve::worker::v1::ConnectRequest message;
    if (!message.MergeFromCodedStream(&input)) return 0;
    if (input.BytesUntilLimit() != 0) return 0;
    input.PopLimit(limit);
    connection.Hear(message);
  }
  return 0;
}
