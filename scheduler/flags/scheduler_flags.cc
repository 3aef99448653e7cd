#include "scheduler/flags/scheduler_flags.h"

#include <cstdint>
#include <optional>
#include <string>

#include "absl/flags/flag.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/flag_error.h"
#include "common/status_macros.h"

ABSL_FLAG(std::string, policy, "hybrid",
          "How the cache is kept: hybrid (keys and values mixed with "
          "activations so that link and compute take equal time), kv, act, "
          "recompute (keys and values but for a prefix that is recomputed from "
          "token ids in every step), flexgen (keys and values in FlexGen's "
          "schedule) or resident (everything on the device).");
ABSL_FLAG(std::string, act_ratio, "auto",
          "Share of a sequence's blocks kept as activations: auto or a number "
          "from 0 to 1. With --policy=hybrid.");
ABSL_FLAG(int64_t, max_running, 64, "Most sequences running on one worker.");
ABSL_FLAG(int64_t, max_queue_requests, 1024,
          "Most requests waiting; more are refused.");
ABSL_FLAG(int64_t, max_queue_tokens, int64_t{1} << 22,
          "Most tokens (prompts and max_tokens) among waiting requests.");
ABSL_FLAG(
    double, tenant_queue_share, 0.8,
    "Share of the queue, from 0 to 1, that one named tenant may fill when "
    "it is the only one: it may hold SHARE / (1 - SHARE) times what is "
    "free, so that others always find room.");
ABSL_FLAG(absl::Duration, max_queue_wait, absl::InfiniteDuration(),
          "A request that would wait for longer is refused, as predicted from "
          "how fast the queue was served of late.");
ABSL_FLAG(int64_t, prefill_chunk_tokens, 512,
          "Most prompt tokens in one step of one worker.");
ABSL_FLAG(std::string, expected_output, "auto",
          "Share of its max_tokens that a request is expected to generate: a "
          "number from 0 to 1, or auto, which learns it. The less, the more "
          "requests run at once, and the sooner the cache runs out; then one "
          "gives way and is run again later.");
ABSL_FLAG(absl::Duration, failover_timeout, absl::Seconds(60),
          "How long a request waits for a worker that can take it over.");
ABSL_FLAG(absl::Duration, worker_lease, absl::Seconds(10),
          "A worker from which nothing comes for so long is lost: its requests "
          "go on elsewhere. inf: only the end of its connection counts.");
ABSL_FLAG(absl::Duration, step_timeout, absl::Minutes(5),
          "A worker that owes the result of a step for so long is lost, "
          "whatever else it sends: its device hangs. inf: it may take as long "
          "as it likes.");
ABSL_FLAG(absl::Duration, max_step_time, absl::InfiniteDuration(),
          "Longest step that the planner may choose, as it predicts: fewer "
          "sequences run at once. One always runs.");
ABSL_FLAG(std::string, recompute_ratio, "",
          "With --policy=recompute: share of a sequence's blocks, its first "
          "ones, that is recomputed in every step, from 0 to 1. Default: 0.25. "
          "A worker recomputes no more than its --recompute_tokens.");
ABSL_FLAG(std::string, percent, "",
          "With --policy=flexgen: its six percents, such as 20,80,0,100,0,100: "
          "weights, cache and activations, each on the device and on the host. "
          "A worker of its own process takes the weights' share from its "
          "--resident_weights. Default: as much as the device holds.");
ABSL_FLAG(std::string, flexgen_relay, "",
          "With --policy=flexgen: true or false, whether cache moves between "
          "host and device by way of a pinned buffer, as in FlexGen, whose "
          "host cache is not pinned. A worker of its own process needs "
          "--unpinned_cache. Default: false.");

namespace hybridserve {
namespace {

absl::Status CheckAtLeast(absl::string_view flag, int64_t value,
                          int64_t least) {
  if (value >= least) return absl::OkStatus();
  return WrongFlag(flag, absl::StrCat("must be at least ", least));
}

// "auto" is nullopt.
absl::StatusOr<std::optional<double>> ParseShare(absl::string_view flag,
                                                 absl::string_view text) {
  if (text == "auto") return std::nullopt;
  double number = 0;
  if (!absl::SimpleAtod(text, &number) || !(number >= 0 && number <= 1)) {
    return WrongFlag(flag, absl::StrCat("\"", text,
                                        "\" is neither auto nor a number from "
                                        "0 to 1"));
  }
  return number;
}

}  // namespace

absl::StatusOr<SchedulerOptions> SchedulerOptionsFromFlags() {
  SchedulerOptions options;
  options.max_running = absl::GetFlag(FLAGS_max_running);
  options.max_queue_requests = absl::GetFlag(FLAGS_max_queue_requests);
  options.max_queue_tokens = absl::GetFlag(FLAGS_max_queue_tokens);
  options.prefill_chunk_tokens = absl::GetFlag(FLAGS_prefill_chunk_tokens);
  options.failover_timeout = absl::GetFlag(FLAGS_failover_timeout);
  RETURN_IF_ERROR(CheckAtLeast("max_running", options.max_running, 1));
  RETURN_IF_ERROR(
      CheckAtLeast("max_queue_requests", options.max_queue_requests, 0));
  RETURN_IF_ERROR(
      CheckAtLeast("max_queue_tokens", options.max_queue_tokens, 0));
  RETURN_IF_ERROR(
      CheckAtLeast("prefill_chunk_tokens", options.prefill_chunk_tokens, 1));
  options.tenant_queue_share = absl::GetFlag(FLAGS_tenant_queue_share);
  if (!(options.tenant_queue_share >= 0 && options.tenant_queue_share <= 1)) {
    return WrongFlag("tenant_queue_share", "must be from 0 to 1");
  }
  options.max_queue_wait = absl::GetFlag(FLAGS_max_queue_wait);
  if (options.max_queue_wait < absl::ZeroDuration()) {
    return WrongFlag("max_queue_wait", "must not be negative");
  }
  if (options.failover_timeout < absl::ZeroDuration()) {
    return WrongFlag("failover_timeout", "must not be negative");
  }
  options.worker_lease = absl::GetFlag(FLAGS_worker_lease);
  if (options.worker_lease < absl::Milliseconds(100)) {
    return WrongFlag("worker_lease", "must be at least 100ms");
  }
  options.step_timeout = absl::GetFlag(FLAGS_step_timeout);
  if (options.step_timeout < absl::Seconds(1)) {
    return WrongFlag("step_timeout", "must be at least 1s");
  }
  options.max_step_time = absl::GetFlag(FLAGS_max_step_time);
  if (options.max_step_time <= absl::ZeroDuration()) {
    return WrongFlag("max_step_time", "must be positive");
  }
  ASSIGN_OR_RETURN(
      options.expected_output,
      ParseShare("expected_output", absl::GetFlag(FLAGS_expected_output)));
  return options;
}

absl::StatusOr<std::unique_ptr<Policy>> PolicyFromFlags() {
  return PolicyFromFlags(
      {.name = absl::GetFlag(FLAGS_policy),
       .act_ratio = absl::GetFlag(FLAGS_act_ratio),
       .recompute_ratio = absl::GetFlag(FLAGS_recompute_ratio),
       .percent = absl::GetFlag(FLAGS_percent),
       .flexgen_relay = absl::GetFlag(FLAGS_flexgen_relay)});
}

absl::StatusOr<std::unique_ptr<Policy>> PolicyFromFlags(
    const PolicyFlags& flags) {
  ASSIGN_OR_RETURN(const std::optional<double> act_ratio,
                   ParseShare("act_ratio", flags.act_ratio));
  PolicyParameters parameters;
  if (!flags.recompute_ratio.empty()) {
    double ratio = 0;
    if (!absl::SimpleAtod(flags.recompute_ratio, &ratio)) {
      return WrongFlag("recompute_ratio",
                       absl::StrCat("\"", flags.recompute_ratio,
                                    "\" is not a number from 0 to 1"));
    }
    parameters.recompute_ratio = ratio;
  }
  if (!flags.percent.empty()) {
    ASSIGN_OR_RETURN(parameters.percents, ParseFlexGenPercents(flags.percent));
  }
  if (!flags.flexgen_relay.empty()) {
    if (flags.flexgen_relay != "true" && flags.flexgen_relay != "false") {
      return WrongFlag("flexgen_relay",
                       absl::StrCat("\"", flags.flexgen_relay,
                                    "\" is neither true nor false"));
    }
    parameters.relay = flags.flexgen_relay == "true";
  }
  return ParsePolicy(flags.name, act_ratio, parameters);
}

}  // namespace hybridserve
