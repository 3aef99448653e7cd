#ifndef HYBRIDSERVE_SCHEDULER_RPC_OUTPUT_PROTO_H_
#define HYBRIDSERVE_SCHEDULER_RPC_OUTPUT_PROTO_H_

#include <optional>

#include "absl/types/span.h"
#include "common/top_token.h"
#include "hybridserve/v1/generation.pb.h"
#include "scheduler/core/request.h"
#include "scheduler/rpc/generation_sink.h"

namespace hybridserve {

// The core's words in the API's.
v1::FinishReason FinishReasonToProto(FinishReason reason);
v1::Usage UsageToProto(const Usage& usage);
v1::TopLogProbs TopLogProbsToProto(absl::Span<const TopToken> top);
// Nothing unless the output ended by a stop condition or end token.
std::optional<v1::StopMatch> StopMatchToProto(const OutputEnd& end);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_OUTPUT_PROTO_H_
