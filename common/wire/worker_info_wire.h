#ifndef HYBRIDSERVE_COMMON_WIRE_WORKER_INFO_WIRE_H_
#define HYBRIDSERVE_COMMON_WIRE_WORKER_INFO_WIRE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/worker_info.h"
#include "hybridserve/worker/v1/registration.pb.h"

namespace hybridserve {

// The revision of hybridserve.worker.v1 that this program speaks. Goes up with
// every change that the other side must know of.
inline constexpr uint32_t kWireRevision = 6;

// FailedPrecondition, saying which side to upgrade, for another revision;
// InvalidArgument, naming the field, for names that are empty or too long.
absl::Status CheckHello(const worker::v1::Hello& hello);

// What `info` says beside names, epoch and files' contents. Fills an empty
// `wire`.
void WorkerInfoToWire(const WorkerInfo& info, worker::v1::Register& wire);

// The inverse. `hello` has passed CheckHello(). InvalidArgument, naming the
// field, for whatever is outside its range (registration.proto).
absl::StatusOr<WorkerInfo> WorkerInfoFromWire(const worker::v1::Hello& hello,
                                              uint64_t epoch, ModelFiles files,
                                              const worker::v1::Register& wire);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_WIRE_WORKER_INFO_WIRE_H_
