#ifndef HYBRIDSERVE_CLIENT_BENCH_BENCH_RUNNER_H_
#define HYBRIDSERVE_CLIENT_BENCH_BENCH_RUNNER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/bench/bench_pass.h"
#include "grpcpp/channel.h"

namespace hybridserve {

// A way to keep the cache, as --policy and the flags beside it spell it.
struct BenchPolicy {
  std::string name;
  std::string act_ratio = "auto";
  // Empty: the policy's default.
  std::string recompute_ratio = {};
  std::string percent = {};
  std::string flexgen_relay = {};

  bool relays() const { return flexgen_relay == "true"; }
  // For people: "kv", "hybrid 0.25", "recompute 0.5", "flexgen relay".
  std::string Label() const;
};

struct BenchOptions {
  std::string model;  // Empty: the server's only one.
  std::vector<BenchPolicy> policies;
  std::optional<int64_t> batch;        // Unset: as many as the pool takes.
  std::vector<int64_t> prompt_tokens;  // One or more lengths to compare.
  int64_t output_tokens = 64;
  int64_t repeats = 3;
  bool decode_only = false;  // No totals: takes half the time or less.
  uint64_t seed = 1;         // Of the prompts.
};

// One policy at one prompt length.
struct BenchResult {
  BenchPolicy policy;
  int64_t worker_setting = 0;              // OpenedServer's.
  std::optional<int64_t> batch_requested;  // Unset: auto.
  int64_t prompt_tokens = 0;
  int64_t output_tokens = 0;
  std::vector<PassResult> passes;  // One a repeat.
};

// An idle server, its caches warm or not.
struct OpenedServer {
  std::shared_ptr<grpc::Channel> channel;
  // Servers with the same number have workers that are set up alike.
  int64_t worker_setting = 0;
};

// Makes a policy's server ready; the channel is good until the next call.
using OpenPolicy =
    std::function<absl::StatusOr<OpenedServer>(const BenchPolicy&)>;

// Measures every policy at every prompt length: once without counting it, to
// warm up, then `repeats` times, all policies in turn each time, so that what
// else the machine does hits all alike. Ideal times are from the mean of all
// measured costs. Results are by prompt length, then policy, in the order of
// the options. The first error ends it.
absl::StatusOr<std::vector<BenchResult>> RunBenchPasses(
    const BenchOptions& options, const OpenPolicy& open, std::ostream& progress,
    bool progress_is_terminal);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_BENCH_BENCH_RUNNER_H_
