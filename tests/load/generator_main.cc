// The load generator: many calls in flight from one process, and a JSON object
// on stdout of what became of them (--help).

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/program.h"
#include "common/status_macros.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"
#include "tests/load/length_distribution.h"
#include "tests/load/load_run.h"

ABSL_FLAG(std::string, server, "127.0.0.1:50051",
          "HOST:PORT of a scheduler whose workers are timed_workers.");
ABSL_FLAG(int, connections, 4, "Connections that requests take turns on.");
ABSL_FLAG(double, rate, 0,
          "Requests a second, in an open loop: they come whatever becomes of "
          "those before. 0: a closed loop.");
ABSL_FLAG(int64_t, concurrency, 1,
          "Requests in flight, in a closed loop: where one ends, one comes.");
ABSL_FLAG(int64_t, requests, 0, "How many to send; 0: by --duration.");
ABSL_FLAG(absl::Duration, duration, absl::InfiniteDuration(),
          "How long to send.");
ABSL_FLAG(absl::Duration, drain_timeout, absl::Minutes(5),
          "Requests that have not ended so long after that are given up.");
ABSL_FLAG(uint64_t, seed, 1, "Of requests and of their arrivals.");
ABSL_FLAG(std::string, prompt_tokens, "32",
          "Tokens of a prompt: N, LOW-HIGH or geometric:MEAN.");
ABSL_FLAG(std::string, max_tokens, "16",
          "Tokens of an output: N, LOW-HIGH or geometric:MEAN.");
ABSL_FLAG(double, stream_share, 1, "Requests that stream; others are unary.");
ABSL_FLAG(double, slow_share, 0, "Of those that stream: slow readers.");
ABSL_FLAG(absl::Duration, read_pause, absl::Seconds(1),
          "What a slow reader waits before each further event.");
ABSL_FLAG(double, cancel_share, 0, "Requests that are cancelled.");
ABSL_FLAG(absl::Duration, cancel_after, absl::Seconds(1),
          "They are cancelled so long after they were sent, at the latest.");
ABSL_FLAG(absl::Duration, deadline, absl::InfiniteDuration(),
          "Of every request.");
ABSL_FLAG(int64_t, retries, 0,
          "Times that a refused request is sent again, after what its "
          "RetryInfo asks for.");

namespace hybridserve {
namespace {

constexpr char kName[] = "load_generator";

absl::StatusOr<LengthDistribution> Lengths(absl::string_view flag,
                                           const std::string& text) {
  auto lengths = LengthDistribution::Parse(text);
  if (lengths.ok()) return lengths;
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag, ": ", lengths.status().message()));
}

absl::StatusOr<LoadOptions> OptionsFromFlags() {
  LoadOptions options;
  options.rate = absl::GetFlag(FLAGS_rate);
  options.concurrency = absl::GetFlag(FLAGS_concurrency);
  options.requests = absl::GetFlag(FLAGS_requests);
  options.duration = absl::GetFlag(FLAGS_duration);
  options.drain_timeout = absl::GetFlag(FLAGS_drain_timeout);
  options.seed = absl::GetFlag(FLAGS_seed);
  ASSIGN_OR_RETURN(
      options.prompt_tokens,
      Lengths("prompt_tokens", absl::GetFlag(FLAGS_prompt_tokens)));
  ASSIGN_OR_RETURN(options.max_tokens,
                   Lengths("max_tokens", absl::GetFlag(FLAGS_max_tokens)));
  options.stream_share = absl::GetFlag(FLAGS_stream_share);
  options.slow_share = absl::GetFlag(FLAGS_slow_share);
  options.read_pause = absl::GetFlag(FLAGS_read_pause);
  options.cancel_share = absl::GetFlag(FLAGS_cancel_share);
  options.cancel_after = absl::GetFlag(FLAGS_cancel_after);
  options.deadline = absl::GetFlag(FLAGS_deadline);
  options.retries = absl::GetFlag(FLAGS_retries);
  if (options.rate < 0 || (options.rate == 0 && options.concurrency < 1)) {
    return absl::InvalidArgumentError(
        "--rate, --concurrency: one must be positive");
  }
  if (options.requests <= 0 && options.duration == absl::InfiniteDuration()) {
    return absl::InvalidArgumentError("--requests or --duration: is missing");
  }
  if (absl::GetFlag(FLAGS_connections) < 1) {
    return absl::InvalidArgumentError("--connections: must be positive");
  }
  return options;
}

std::vector<std::shared_ptr<grpc::Channel>> Dial() {
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (int i = 0; i < absl::GetFlag(FLAGS_connections); ++i) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    channels.push_back(grpc::CreateCustomChannel(
        absl::GetFlag(FLAGS_server), grpc::InsecureChannelCredentials(),
        arguments));
  }
  return channels;
}

int Main(int argc, char** argv) {
  InitProgram(argc, argv,
              {.name = kName,
               .text = "Puts a load on a scheduler and says what became of "
                       "it, as JSON.\n\n"
                       "  load_generator --server=127.0.0.1:50051 --rate=100 "
                       "--duration=1m"});
  const absl::StatusOr<LoadOptions> options = OptionsFromFlags();
  if (!options.ok()) ExitWithUsageError(kName, options.status());
  LoadRun run(*options, Dial());
  std::cout << run.Run().dump() << std::endl;
  return 0;
}

}  // namespace
}  // namespace hybridserve

int main(int argc, char** argv) { return hybridserve::Main(argc, argv); }
