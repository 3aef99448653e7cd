// The server counts steps, not phases, so the decode phase is cut out by asking
// for its totals at the right moments: once all requests that run have had a
// token, and then a few times until the first is finished. The last answer in
// which none was finished counts. An answer holds whole steps only, so that
// coming late costs steps, not truth.

#include "client/bench/bench_pass.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/bench/arrival_times.h"
#include "client/bench/bench_requests.h"
#include "client/bench/request_wave.h"
#include "common/grpc_status.h"
#include "common/status_macros.h"
#include "grpcpp/client_context.h"
#include "hybridserve/v1/control_service.grpc.pb.h"
#include "hybridserve/v1/model_service.grpc.pb.h"

namespace hybridserve {
namespace {

using Channel = std::shared_ptr<grpc::Channel>;

constexpr absl::Duration kIdleTimeout = absl::Seconds(10);
constexpr int kTriesOfABatch = 3;

absl::StatusOr<v1::Model> GetModel(const Channel& channel,
                                   const std::string& name) {
  const auto stub = v1::ModelService::NewStub(channel);
  grpc::ClientContext context;
  v1::GetModelRequest request;
  request.set_name(name);
  v1::GetModelResponse response;
  RETURN_IF_ERROR(FromGrpcStatus(stub->GetModel(&context, request, &response)));
  return response.model();
}

// How busy the server was, and when that was known here.
struct Sample {
  absl::Time time;
  v1::Load load;
};

bool IsIdle(const v1::Load& load) {
  if (load.queue().running() > 0 || load.queue().waiting() > 0) return false;
  for (const v1::Worker& worker : load.workers()) {
    for (const v1::Pool& pool : worker.pools()) {
      if (pool.kv_blocks() > 0 || pool.act_blocks() > 0) return false;
    }
  }
  return true;
}

class LoadSampler {
 public:
  explicit LoadSampler(const Channel& channel)
      : stub_(v1::ControlService::NewStub(channel)) {}

  absl::StatusOr<Sample> Take() {
    grpc::ClientContext context;
    v1::GetLoadResponse response;
    RETURN_IF_ERROR(FromGrpcStatus(
        stub_->GetLoad(&context, v1::GetLoadRequest(), &response)));
    return Sample{absl::Now(), std::move(*response.mutable_load())};
  }

  // Waits until no request is there and all of the cache is free, which comes
  // a step or two later; not for ever, as others may use the server too.
  absl::Status WaitUntilIdle() {
    const absl::Time deadline = absl::Now() + kIdleTimeout;
    for (;;) {
      ASSIGN_OR_RETURN(const Sample sample, Take());
      if (IsIdle(sample.load) || absl::Now() > deadline) {
        return absl::OkStatus();
      }
      absl::SleepFor(absl::Milliseconds(5));
    }
  }

 private:
  const std::unique_ptr<v1::ControlService::Stub> stub_;
};

// Nothing has ended since, and as many run as then.
bool SamePhase(const Sample& a, const Sample& b) {
  return a.load.requests().finished() == b.load.requests().finished() &&
         a.load.queue().running() == b.load.queue().running() &&
         a.load.workers_size() == 1 && b.load.workers_size() == 1;
}

// Token counts at which to look, from `begin` on: few, and the last is best.
std::vector<int64_t> Checkpoints(int64_t begin, int64_t output_tokens) {
  const int64_t left = output_tokens - begin;
  std::vector<int64_t> counts;
  for (const int64_t count :
       {begin + left / 2, begin + left * 3 / 4, begin + left * 7 / 8,
        output_tokens - 2, output_tokens - 1}) {
    if (count > (counts.empty() ? begin : counts.back())) {
      counts.push_back(count);
    }
  }
  return counts;
}

// The two ends of the decode phase, and how many tokens the first request had
// at its begin.
struct DecodePhase {
  Sample begin;
  Sample end;
  int64_t longest = 0;
};

// Unset if there is none. It ends when some request has had `phase_tokens`
// since all of them run, or all of its own `output_tokens`.
absl::StatusOr<std::optional<DecodePhase>> CutOutDecode(
    LoadSampler& sampler, RequestWave& wave, const Sample& all_running,
    int64_t phase_tokens, int64_t output_tokens) {
  RETURN_IF_ERROR(wave.WaitUntilStarted(all_running.load.queue().running()));
  const int64_t longest = wave.longest();
  ASSIGN_OR_RETURN(const Sample begin, sampler.Take());
  if (!SamePhase(all_running, begin)) return std::nullopt;
  std::optional<DecodePhase> phase;
  for (const int64_t count :
       Checkpoints(longest, std::min(longest + phase_tokens, output_tokens))) {
    RETURN_IF_ERROR(wave.WaitUntilSomeHas(count));
    ASSIGN_OR_RETURN(Sample sample, sampler.Take());
    if (!SamePhase(begin, sample)) break;
    phase = DecodePhase{begin, std::move(sample), longest};
  }
  return phase;
}

void SetDecode(const DecodePhase& phase, const RequestWave& wave,
               PassResult& result) {
  result.decode_tokens_per_s =
      TokensPerSecondWithin(phase.begin.time, phase.end.time, wave.arrivals());
  result.decode =
      FiguresBetween(phase.begin.load.workers(0), phase.end.load.workers(0));
}

// Runs `tried` until its decode phase was seen for `phase_tokens`, and cancels
// it. Leaves `result` alone if fewer run at once than there did.
absl::Status TryDecodeApart(const Channel& channel, const v1::Model& model,
                            const PassOptions& tried, int64_t phase_tokens,
                            PassResult& result) {
  auto requests = MakeBenchRequests(model, tried);
  if (!requests.ok()) return absl::OkStatus();  // Beyond the model's limit.
  LoadSampler sampler(channel);
  {
    RequestWave wave(channel, *std::move(requests));
    RETURN_IF_ERROR(wave.WaitUntilAccepted());
    ASSIGN_OR_RETURN(const Sample all_running, sampler.Take());
    if (all_running.load.queue().running() == result.running) {
      ASSIGN_OR_RETURN(const auto decode,
                       CutOutDecode(sampler, wave, all_running, phase_tokens,
                                    tried.output_tokens + tried.lead_tokens));
      if (decode.has_value()) {
        SetDecode(*decode, wave, result);
        result.decode_apart = true;
        result.prompt_steps = std::max<int64_t>(1, decode->longest - 1);
      }
    }
  }
  return sampler.WaitUntilIdle();
}

// Where the first requests are finished before the last have begun: gives them
// a lead, so that all decode at once, with contexts as if they had begun at
// once. Prompts too short for that stay as they are; outputs become longer.
absl::Status MeasureDecodeApart(const Channel& channel, const v1::Model& model,
                                const PassOptions& options,
                                PassResult& result) {
  const int64_t lead = result.prompt_steps + result.prompt_steps / 8 + 4;
  PassOptions tried = options;
  // While all decode, less of each step is left for prompts than was before.
  for (const int64_t eighths : {8, 10, 13, 16}) {
    const int64_t tokens = lead * eighths / 8;
    if (options.prompt_tokens <= 2 * tokens) break;
    tried.lead_tokens = tokens;
    RETURN_IF_ERROR(
        TryDecodeApart(channel, model, tried, options.output_tokens, result));
    if (result.decode.has_value()) return absl::OkStatus();
  }
  tried.lead_tokens = 0;
  tried.output_tokens += lead * 5 / 4;
  return TryDecodeApart(channel, model, tried, options.output_tokens, result);
}

// How many of a pass's requests run at once when all of them are there.
absl::StatusOr<int64_t> CountRunning(const Channel& channel,
                                     const v1::Model& model,
                                     const PassOptions& options) {
  ASSIGN_OR_RETURN(std::vector<v1::GenerateStreamRequest> requests,
                   MakeBenchRequests(model, options));
  LoadSampler sampler(channel);
  int64_t running = 0;
  {
    RequestWave wave(channel, std::move(requests));
    RETURN_IF_ERROR(wave.WaitUntilAccepted());
    ASSIGN_OR_RETURN(const Sample sample, sampler.Take());
    running = sample.load.queue().running();
  }
  RETURN_IF_ERROR(sampler.WaitUntilIdle());
  return running;
}

}  // namespace

absl::StatusOr<PassResult> RunPass(const Channel& channel,
                                   const PassOptions& options) {
  ASSIGN_OR_RETURN(const v1::Model model, GetModel(channel, options.model));
  ASSIGN_OR_RETURN(std::vector<v1::GenerateStreamRequest> requests,
                   MakeBenchRequests(model, options));
  LoadSampler sampler(channel);
  RETURN_IF_ERROR(sampler.WaitUntilIdle());
  ASSIGN_OR_RETURN(const Sample before, sampler.Take());
  RequestWave wave(channel, std::move(requests));
  RETURN_IF_ERROR(wave.WaitUntilAccepted());
  ASSIGN_OR_RETURN(const Sample all_running, sampler.Take());
  PassResult result;
  result.running = all_running.load.queue().running();
  std::optional<DecodePhase> decode;
  if (result.running > 0 && all_running.load.requests().finished() ==
                                before.load.requests().finished()) {
    ASSIGN_OR_RETURN(
        decode, CutOutDecode(sampler, wave, all_running, options.output_tokens,
                             options.output_tokens));
  }
  RETURN_IF_ERROR(wave.WaitUntilDone());
  const std::vector<RequestWave::Arrivals> arrivals = wave.arrivals();
  for (const RequestWave::Arrivals& times : arrivals) {
    if (static_cast<int64_t>(times.size()) != options.output_tokens) {
      return absl::AbortedError(
          "a request ended before it had all of its tokens");
    }
  }
  result.total_tokens_per_s = TotalTokensPerSecond(wave.sent_at(), arrivals);
  result.ttft_s = MedianSecondsToFirst(wave.sent_at(), arrivals);
  result.inter_token_s = MedianSecondsBetween(arrivals);
  if (decode.has_value()) SetDecode(*decode, wave, result);
  ASSIGN_OR_RETURN(const Sample after, sampler.Take());
  if (after.load.workers_size() > 0) result.worker = after.load.workers(0);
  if (before.load.workers_size() == 1 && after.load.workers_size() == 1) {
    const uint64_t steps = after.load.workers(0).totals().steps() -
                           before.load.workers(0).totals().steps();
    result.prompt_steps = std::max<int64_t>(
        1, static_cast<int64_t>(steps) - options.output_tokens);
  }
  if (!decode.has_value() && options.measure_decode &&
      options.output_tokens > 1 && result.prompt_steps > 0) {
    RETURN_IF_ERROR(MeasureDecodeApart(channel, model, options, result));
  }
  return result;
}

absl::StatusOr<PassResult> RunDecodePass(const Channel& channel,
                                         const PassOptions& options,
                                         const PassResult& before) {
  ASSIGN_OR_RETURN(const v1::Model model, GetModel(channel, options.model));
  LoadSampler sampler(channel);
  RETURN_IF_ERROR(sampler.WaitUntilIdle());
  PassResult result;
  result.running = before.running;
  result.prompt_steps = before.prompt_steps;
  RETURN_IF_ERROR(MeasureDecodeApart(channel, model, options, result));
  ASSIGN_OR_RETURN(const Sample after, sampler.Take());
  if (after.load.workers_size() > 0) result.worker = after.load.workers(0);
  return result;
}

absl::StatusOr<int64_t> FindLargestBatch(const Channel& channel,
                                         const PassOptions& options,
                                         int64_t bound) {
  ASSIGN_OR_RETURN(const v1::Model model, GetModel(channel, options.model));
  LoadSampler sampler(channel);
  RETURN_IF_ERROR(sampler.WaitUntilIdle());
  ASSIGN_OR_RETURN(const Sample idle, sampler.Take());
  // As many as the queue takes. What a policy keeps depends on how many there
  // are, so fewer are tried until all that are sent run.
  const v1::Queue& queue = idle.load.queue();
  PassOptions tried = options;
  tried.batch =
      std::min<int64_t>(queue.max_requests(),
                        static_cast<int64_t>(queue.max_tokens()) /
                            (options.prompt_tokens + options.output_tokens));
  tried.batch = std::clamp<int64_t>(tried.batch, 1, bound);
  for (;;) {
    // Costs are measured anew all the time, so what is kept is not the same
    // each time: the least of many tries would be too little.
    int64_t most = 1;
    for (int i = 0; i < kTriesOfABatch && most < tried.batch; ++i) {
      ASSIGN_OR_RETURN(const int64_t running,
                       CountRunning(channel, model, tried));
      most = std::max(most, running);
    }
    if (most >= tried.batch) return tried.batch;
    tried.batch = most;
  }
}

}  // namespace hybridserve
