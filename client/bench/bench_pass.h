#ifndef HYBRIDSERVE_CLIENT_BENCH_BENCH_PASS_H_
#define HYBRIDSERVE_CLIENT_BENCH_BENCH_PASS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "client/bench/step_figures.h"
#include "grpcpp/channel.h"
#include "hybridserve/v1/load.pb.h"

namespace hybridserve {

// Requests that are alike: `batch` of them, each of as many random token ids.
struct PassOptions {
  std::string model;  // Empty: the server's only one.
  int64_t batch = 1;
  int64_t prompt_tokens = 1;
  int64_t output_tokens = 1;  // Exactly so many a request.
  // The first request's prompt is so much shorter and its output longer, the
  // last one's not at all, those between in proportion: all are as long at
  // their ends. Less than prompt_tokens.
  int64_t lead_tokens = 0;
  uint64_t seed = 0;  // Of the ids: the same ones every time.
  // Looks at the decode phase, if need be in a run of its own.
  bool measure_decode = true;
};

// One measurement: the requests sent at once to an idle server.
struct PassResult {
  int64_t running = 0;  // Requests that ran at once.
  // Until the last request starts, about; 0 where it is unknown.
  int64_t prompt_steps = 0;
  // Produced ones, prompt phase included. Unset by RunDecodePass().
  std::optional<double> total_tokens_per_s;
  std::optional<double> ttft_s;  // Until the first token: median of requests.
  // Between tokens: median of the requests' means. Unset: one token each.
  std::optional<double> inter_token_s;
  // Of the decode phase: from when all requests that run have had a token
  // until the first is finished. Where there is no such time, as the output is
  // shorter than the others' prompts take, it is measured apart: with requests
  // that generate as many tokens more as pass until the last one starts, in
  // place of so much of their prompts (prompts too short for that stay as they
  // are). Unset where that does not fit either, or a request has one token
  // only.
  bool decode_apart = false;
  std::optional<double> decode_tokens_per_s;
  std::optional<StepFigures> decode;
  v1::Worker worker;  // As it was at the end.
};

// Runs one pass to its end. The server's errors; InvalidArgument, naming the
// flag, for more tokens than the model takes.
absl::StatusOr<PassResult> RunPass(
    const std::shared_ptr<grpc::Channel>& channel, const PassOptions& options);

// The decode phase alone, as if it had to be measured apart. `before` is a pass
// of requests with the same prompts.
absl::StatusOr<PassResult> RunDecodePass(
    const std::shared_ptr<grpc::Channel>& channel, const PassOptions& options,
    const PassResult& before);

// The most requests of that kind (`options.batch` aside), of at most `bound`,
// that the server runs at once. Leaves it idle.
absl::StatusOr<int64_t> FindLargestBatch(
    const std::shared_ptr<grpc::Channel>& channel, const PassOptions& options,
    int64_t bound);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_BENCH_BENCH_PASS_H_
