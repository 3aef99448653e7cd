#ifndef HYBRIDSERVE_CLIENT_BENCH_BENCH_REQUESTS_H_
#define HYBRIDSERVE_CLIENT_BENCH_BENCH_REQUESTS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "client/bench/bench_pass.h"
#include "hybridserve/v1/inference_service.pb.h"
#include "hybridserve/v1/model_service.pb.h"

namespace hybridserve {

// The requests of a pass: token ids drawn from the model's vocabulary without
// those that begin or end a text, the same for the same seed; greedy, past the
// model's end tokens, exactly options.output_tokens each, and the lead's share
// more. InvalidArgument, naming the flag, for more tokens than the model takes.
// Pure.
absl::StatusOr<std::vector<v1::GenerateStreamRequest>> MakeBenchRequests(
    const v1::Model& model, const PassOptions& options);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_BENCH_BENCH_REQUESTS_H_
