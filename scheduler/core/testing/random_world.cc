#include "scheduler/core/testing/random_world.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_details.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "scheduler/core/testing/bad_result.h"
#include "scheduler/core/testing/converting_policy.h"
#include "scheduler/core/testing/expected_output.h"

namespace hybridserve {
namespace {

constexpr int64_t kVocabSize = 100;
constexpr int64_t kMaxPositions = 64;
constexpr absl::Duration kFailoverTimeout = absl::Seconds(20);
constexpr absl::Duration kLease = absl::Seconds(7);
constexpr absl::Duration kStepTimeout = absl::Seconds(9);
// A tick that comes so late blames nobody.
constexpr absl::Duration kLateTick = absl::Seconds(1);
constexpr char kUnknownModel[] = "c";

std::unique_ptr<Policy> MakePolicy(const std::string& name) {
  if (name == "converting") return std::make_unique<ConvertingPolicy>();
  return ParsePolicy(name, std::nullopt).value();
}

// What a scheduler of that policy alone with such a worker says.
int64_t MaxRequestTokens(const std::string& policy,
                         const FakeWorkerOptions& options) {
  CoreHarness harness({}, MakePolicy(policy));
  EXPECT_THAT(harness.AddWorker(options), IsOk());
  return harness.core().Snapshot().models.front().max_request_tokens;
}

}  // namespace

void WorldCounts::Add(const WorldCounts& more) {
  events += more.events;
  finished += more.finished;
  cancelled += more.cancelled;
  expired += more.expired;
  stranded += more.stranded;
  refused += more.refused;
  queue_full += more.queue_full;
  replays += more.replays;
  preemptions += more.preemptions;
  converted += more.converted;
  malformed += more.malformed;
  drained += more.drained;
  silent += more.silent;
  hanging += more.hanging;
  stale += more.stale;
}

int64_t RandomWorld::Tracked::positions() const {
  const auto prompt = static_cast<int64_t>(request.prompt.size());
  return prompt + (request.is_score() ? 0 : request.max_tokens);
}

RandomWorld::RandomWorld(const std::string& policy, uint64_t shape)
    : policy_(policy),
      random_(shape),
      options_(RandomOptions()),
      harness_(options_, MakePolicy(policy)) {}

SchedulerOptions RandomWorld::RandomOptions() {
  SchedulerOptions options;
  options.max_running = Uniform(1, 12);
  options.max_queue_requests = Uniform(0, 12);
  options.max_queue_tokens = Uniform(50, 600);
  options.prefill_chunk_tokens = Uniform(1, 40);
  options.failover_timeout = kFailoverTimeout;
  options.tenant_queue_share = 1;  // Tenants take turns, no more.
  options.worker_lease = kLease;
  options.step_timeout = kStepTimeout;
  options.max_losses = Uniform(1, 8);
  // Mostly less than requests turn out to generate.
  options.expected_output =
      OneOf(std::vector<std::optional<double>>{std::nullopt, 0, 0, 0, 1});
  return options;
}

int64_t RandomWorld::Uniform(int64_t low, int64_t high) {
  return std::uniform_int_distribution<int64_t>(low, high)(random_);
}

void RandomWorld::Apply(uint64_t event) {
  random_.seed(event);
  lost_worker_ = false;
  answered_.reset();
  ++counts_.events;
  const int64_t kind = Uniform(0, 999);
  const auto any = [this](const char* a, const char* b) {
    return OneIn(2) ? a : b;
  };
  if (kind < 250) {
    Submit();
  } else if (kind < 300) {
    Cancel();
  } else if (kind < 350) {
    PassTime();
  } else if (kind < 385) {
    AddWorker(any("a", "b"), any("x", "y"));
  } else if (kind < 400) {
    LoseWorker();
  } else if (kind < 406) {
    DrainWorker();
  } else if (kind < 411) {
    StepBadly();
  } else if (kind < 430) {
    AnswerStale();
  } else if (kind < 450) {
    SendHeartbeats();
  } else if (kind == 450 && OneIn(4)) {
    harness_.core().Drain();
    draining_ = true;
  } else {
    Step();
  }
  harness_.core().CheckInvariants();
  UpdateWorkers();
  Forget();
  CheckTimes();
}

// ---- Requests come and go.

GenerationRequest RandomWorld::RandomRequest() {
  GenerationRequest request;
  request.request_id = OneIn(4) ? "" : absl::StrCat("r", Uniform(0, 60));
  request.tenant = OneIn(2) ? "" : absl::StrCat("t", Uniform(0, 2));
  request.priority = static_cast<int32_t>(Uniform(-2, 2));
  request.model = OneOf(std::vector<std::string>{"a", "a", "a", "b", "b"});
  if (OneIn(40)) request.model = OneIn(2) ? kUnknownModel : "";
  request.prompt =
      MakePrompt(Uniform(1, 32), static_cast<int32_t>(Uniform(0, 1000)));
  request.max_tokens = Uniform(1, 32);
  request.min_tokens = Uniform(0, request.max_tokens);
  request.ignore_eos = OneIn(2);
  request.sampling.seed = Uniform(0, 1000);
  request.sampling.want_log_prob = OneIn(2);
  if (OneIn(8)) request.stop_token_ids = {static_cast<int32_t>(Uniform(0, 99))};
  if (OneIn(10)) {
    request.deadline = Now() + absl::Milliseconds(Uniform(-100, 10'000));
  }
  if (OneIn(6)) {
    request.score_targets.resize(request.prompt.size());
    for (int32_t& id : request.score_targets) {
      id = static_cast<int32_t>(Uniform(-1, 99));
    }
  }
  if (OneIn(50)) request.max_tokens = OneIn(2) ? 0 : kMaxPositions;
  if (OneIn(100)) request.prompt.back() = kVocabSize;
  if (OneIn(100)) request.prompt.clear();
  return request;
}

absl::StatusCode RandomWorld::CodeFor(const GenerationRequest& request) {
  if (draining_ || models_.empty()) return absl::StatusCode::kUnavailable;
  std::string model = request.model;
  if (model.empty()) {
    if (models_.size() > 1) return absl::StatusCode::kInvalidArgument;
    model = models_.front();
  }
  if (std::find(models_.begin(), models_.end(), model) == models_.end()) {
    return absl::StatusCode::kNotFound;
  }
  const auto prompt = static_cast<int64_t>(request.prompt.size());
  const bool scores = request.is_score();
  if (prompt == 0 || request.prompt.back() >= kVocabSize ||
      (scores && request.score_targets.size() != request.prompt.size()) ||
      (!scores &&
       (request.max_tokens < 1 || request.min_tokens > request.max_tokens ||
        prompt + request.max_tokens > kMaxPositions))) {
    return absl::StatusCode::kInvalidArgument;
  }
  if (request.deadline <= Now()) return absl::StatusCode::kDeadlineExceeded;
  for (const auto& [key, other] : live_) {
    if (!request.request_id.empty() &&
        other.request.request_id == request.request_id) {
      return absl::StatusCode::kAlreadyExists;
    }
  }
  int64_t limit = -1;
  for (const auto& [id, worker] : workers_) {
    if (worker.model == model) {
      limit = std::max(limit, worker.max_request_tokens);
    }
  }
  const Tracked tracked = {.request = request};
  if (limit >= 0 && tracked.positions() > limit) {
    return absl::StatusCode::kInvalidArgument;
  }
  return absl::StatusCode::kOk;
}

void RandomWorld::Submit() {
  Tracked tracked = {.request = RandomRequest()};
  if (OneIn(6)) tracked.stop_after = Uniform(1, 10);
  const absl::StatusCode code = CodeFor(tracked.request);
  const SchedulerSnapshot before = harness_.core().Snapshot();
  tracked.record = harness_.Submit(tracked.request, tracked.stop_after);
  const SchedulerSnapshot after = harness_.core().Snapshot();
  if (tracked.request.model.empty() && !models_.empty()) {
    tracked.request.model = models_.front();
  }
  const bool is_full =
      before.waiting >= options_.max_queue_requests ||
      before.waiting_tokens + tracked.positions() > options_.max_queue_tokens;
  if (!harness_.last_submit().ok()) {
    EXPECT_FALSE(tracked.record->queue_position.has_value());
    EXPECT_EQ(after.waiting, before.waiting);
    EXPECT_EQ(after.running, before.running);
    const bool has_worker =
        std::any_of(workers_.begin(), workers_.end(), [&](const auto& it) {
          return it.second.model == tracked.request.model &&
                 !it.second.draining;
        });
    CheckRefusal(harness_.last_submit().status(), code, is_full, has_worker);
    ++counts_.refused;
    return;
  }
  EXPECT_EQ(code, absl::StatusCode::kOk);
  EXPECT_TRUE(tracked.record->queue_position.has_value());
  // Whoever finds it full runs at once. Those that give way are in nobody's
  // way.
  const int64_t put_back = after.counts.preemptions - before.counts.preemptions;
  if (is_full) {
    EXPECT_LE(after.waiting, before.waiting + put_back);
    EXPECT_EQ(tracked.record->queue_position, 0);
  } else {
    EXPECT_LE(after.waiting,
              std::max(before.waiting, options_.max_queue_requests) + put_back);
  }
  live_.emplace(*harness_.last_submit(), std::move(tracked));
}

void RandomWorld::CheckRefusal(const absl::Status& status,
                               absl::StatusCode code, bool queue_is_full,
                               bool has_worker) {
  if (code == absl::StatusCode::kOk) {
    EXPECT_TRUE(queue_is_full) << status;
    code = has_worker ? absl::StatusCode::kResourceExhausted
                      : absl::StatusCode::kUnavailable;
    ++counts_.queue_full;
  }
  EXPECT_EQ(status.code(), code) << status;
  const bool may_come_back = code == absl::StatusCode::kResourceExhausted ||
                             code == absl::StatusCode::kUnavailable;
  EXPECT_EQ(RetryDelayOf(status).has_value(), may_come_back) << status;
  EXPECT_EQ(FieldOf(status).has_value(),
            code == absl::StatusCode::kInvalidArgument)
      << status;
}

void RandomWorld::Cancel() {
  EXPECT_FALSE(harness_.core().Cancel(RequestKey(1'000'000'000)));
  EXPECT_FALSE(harness_.core().CancelById("none of that name"));
  if (live_.empty()) return;
  const auto it = std::next(live_.begin(),
                            Uniform(0, static_cast<int64_t>(live_.size()) - 1));
  const Tracked& tracked = it->second;
  if (tracked.request.request_id.empty() || OneIn(2)) {
    EXPECT_TRUE(harness_.core().Cancel(it->first));
  } else {
    EXPECT_TRUE(harness_.core().CancelById(tracked.request.request_id));
  }
  EXPECT_EQ(tracked.record->finished, FinishReason::kCancelled);
  EXPECT_FALSE(harness_.core().Cancel(it->first)) << "it has ended";
}

void RandomWorld::PassTime() {
  harness_.clock().Advance(OneIn(30) ? absl::Hours(Uniform(1, 100))
                                     : absl::Milliseconds(Uniform(0, 3000)));
  ExpectExpiries();
  harness_.core().Tick();
  for (const auto& [id, worker] : workers_) {
    EXPECT_TRUE(worker.draining || harness_.worker(id).connected());
  }
  for (const auto& [key, tracked] : live_) {
    if (tracked.record->ended()) continue;
    EXPECT_GT(tracked.request.deadline, Now()) << "request " << key;
    EXPECT_GT(tracked.stranded + kFailoverTimeout, Now()) << "request " << key;
  }
}

void RandomWorld::ExpectExpiries() {
  const auto is_over = [this](absl::Time& until, absl::Duration term) {
    if (until > Now()) return false;
    if (Now() - until <= kLateTick) return true;
    until = Now() + term;
    return false;
  };
  for (auto it = workers_.begin(); it != workers_.end();) {
    Worker& worker = it->second;
    const bool silent = is_over(worker.lease_until, kLease);
    const bool hanging = !silent && is_over(worker.result_due, kStepTimeout);
    counts_.silent += silent ? 1 : 0;
    counts_.hanging += hanging ? 1 : 0;
    lost_worker_ |= silent || hanging;
    it = silent || hanging ? workers_.erase(it) : std::next(it);
  }
}

// ---- Workers come, work and go.

void RandomWorld::AddWorker(const std::string& model,
                            const std::string& build) {
  if (workers_.size() > 6) return;
  const FakeWorkerOptions options = {
      .model_name = model,
      .build_id = build,
      .epoch = ++epoch_,
      .device_half_slots = static_cast<int32_t>(Uniform(0, 8)),
      .host_half_slots = static_cast<int32_t>(Uniform(16, 56)),
      .staging_half_slots = static_cast<int32_t>(Uniform(48, 100)),
      .max_step_tokens = static_cast<int32_t>(Uniform(1, 40)),
      .max_logit_rows = static_cast<int32_t>(Uniform(1, 12)),
      .vocab_size = kVocabSize,
      .max_positions = kMaxPositions,
      .gemm_flops_per_second = policy_ == "converting" ? 2e5 : 2e6};
  const absl::StatusOr<WorkerId> id = harness_.AddWorker(options);
  ASSERT_THAT(id, IsOk());
  workers_[*id] = {.model = model,
                   .build = build,
                   .max_request_tokens = MaxRequestTokens(policy_, options),
                   .lease_until = Now() + kLease,
                   .hangs = OneIn(8),
                   .mute = OneIn(2)};
  if (std::find(models_.begin(), models_.end(), model) == models_.end()) {
    models_.push_back(model);
  }
}

void RandomWorld::ExpectLost(WorkerId id) {
  EXPECT_FALSE(harness_.worker(id).connected());
  workers_.erase(id);
  lost_worker_ = true;
}

void RandomWorld::LoseWorker() {
  harness_.core().RemoveWorker(WorkerId(1'000'000), absl::InternalError("no"));
  if (workers_.empty()) return;
  const WorkerId id = AnyWorker();
  FakeWorker& worker = harness_.worker(id);
  if (worker.outstanding() > 0 && OneIn(2)) {
    harness_.core().OnResult(
        id, worker.FailNext(absl::InternalError("the device failed")));
  } else {
    harness_.core().RemoveWorker(id, absl::UnavailableError("killed"));
  }
  ExpectLost(id);
}

void RandomWorld::DrainWorker() {
  harness_.core().DrainWorker(WorkerId(1'000'000));
  if (workers_.empty()) return;
  const WorkerId id = AnyWorker();
  workers_.at(id).draining = true;
  harness_.core().DrainWorker(id);
}

void RandomWorld::SendHeartbeats() {
  harness_.core().OnHeartbeat(WorkerId(1'000'000));
  for (auto& [id, worker] : workers_) {
    if (worker.hangs && worker.mute) continue;
    worker.lease_until = Now() + kLease;
    harness_.core().OnHeartbeat(id);
  }
}

WorkerId RandomWorld::AnyWorker() {
  return std::next(workers_.begin(),
                   Uniform(0, static_cast<int64_t>(workers_.size()) - 1))
      ->first;
}

void RandomWorld::UpdateWorkers() {
  for (auto it = workers_.begin(); it != workers_.end();) {
    Worker& worker = it->second;
    const FakeWorker& fake = harness_.worker(it->first);
    if (worker.draining && !fake.connected()) {
      ++counts_.drained;
      it = workers_.erase(it);
      continue;
    }
    if (answered_ == it->first) {
      worker.lease_until = Now() + kLease;
      worker.result_due = absl::InfiniteFuture();
    }
    if (fake.outstanding() == 0) {
      worker.result_due = absl::InfiniteFuture();
    } else if (worker.result_due == absl::InfiniteFuture()) {
      worker.result_due = Now() + kStepTimeout;
    }
    ++it;
  }
}

std::vector<WorkerId> RandomWorld::WithPlans() {
  std::vector<WorkerId> ids;
  for (const auto& [id, worker] : workers_) {
    EXPECT_TRUE(harness_.worker(id).connected()) << "worker " << id;
    if (worker.hangs) continue;
    if (harness_.worker(id).outstanding() > 0) ids.push_back(id);
  }
  return ids;
}

void RandomWorld::Step() {
  const std::vector<WorkerId> ids = WithPlans();
  if (ids.empty()) return;
  const WorkerId id = OneOf(ids);
  StepResult result = harness_.worker(id).RunNext();
  const StepResult again = result;
  answered_ = id;
  harness_.core().OnResult(id, std::move(result));
  for (auto& [key, tracked] : live_) {
    if (tracked.build.empty() && !tracked.record->tokens.empty()) {
      tracked.build = workers_.at(id).build;
    }
  }
  if (OneIn(200) && harness_.worker(id).connected()) {  // Said twice.
    harness_.core().OnResult(id, again);
    ++counts_.malformed;
    ExpectLost(id);
  }
}

void RandomWorld::StepBadly() {
  const std::vector<WorkerId> ids = WithPlans();
  if (ids.empty()) return;
  const WorkerId id = OneOf(ids);
  StepResult result = harness_.worker(id).RunNext();
  if (OneIn(4)) {
    result.fence.step += OneIn(2) ? 1 : -1;  // Out of turn.
  } else {
    Spoil(result, kVocabSize, random_);
  }
  std::vector<size_t> sizes;
  for (const auto& [key, tracked] : live_) {
    sizes.push_back(tracked.record->tokens.size());
  }
  harness_.core().OnResult(id, std::move(result));
  ++counts_.malformed;
  ExpectLost(id);
  size_t i = 0;
  for (const auto& [key, tracked] : live_) {
    EXPECT_EQ(tracked.record->tokens.size(), sizes[i++]) << "believed";
  }
}

void RandomWorld::AnswerStale() {
  const SchedulerSnapshot before = harness_.core().Snapshot();
  Fence fence = {.term = options_.term, .epoch = epoch_, .step = 1};
  WorkerId id(1'000'000);
  const std::vector<WorkerId> ids = WithPlans();
  if (!ids.empty() && !OneIn(4)) {
    id = OneOf(ids);
    fence = harness_.worker(id).last_plan().fence;
    if (OneIn(2)) {
      ++fence.term;
    } else {
      --fence.epoch;
    }
    workers_.at(id).lease_until = Now() + kLease;
  }
  harness_.core().OnResult(
      id, {.fence = fence,
           .status = OneIn(2) ? absl::OkStatus() : absl::InternalError("old"),
           .sequences = {{.sequence = SequenceId(1), .token = 1}}});
  ++counts_.stale;
  const SchedulerSnapshot after = harness_.core().Snapshot();
  EXPECT_EQ(after.workers.size(), before.workers.size());
  EXPECT_EQ(after.running, before.running);
  EXPECT_EQ(after.waiting, before.waiting);
}

// ---- What must hold.

bool RandomWorld::CanRun(const Tracked& tracked, const Worker& worker) const {
  return worker.model == tracked.request.model &&
         tracked.positions() <= worker.max_request_tokens &&
         (tracked.build.empty() || tracked.build == worker.build);
}

bool RandomWorld::HasWorkerFor(const Tracked& tracked, bool draining) const {
  return std::any_of(workers_.begin(), workers_.end(), [&](const auto& it) {
    return it.second.draining == draining && CanRun(tracked, it.second);
  });
}

void RandomWorld::CheckTimes() {
  absl::Time earliest = absl::InfiniteFuture();
  absl::Time due = absl::InfiniteFuture();
  for (auto& [key, tracked] : live_) {
    if (HasWorkerFor(tracked, /*draining=*/false)) {
      tracked.stranded = tracked.stranded_first = absl::InfiniteFuture();
    } else {
      tracked.stranded_first = std::min(tracked.stranded_first, Now());
      if (!HasWorkerFor(tracked, /*draining=*/true)) {
        tracked.stranded = std::min(tracked.stranded, Now());
      }
    }
    due = std::min(
        {due, tracked.request.deadline, tracked.stranded + kFailoverTimeout});
    earliest = std::min({earliest, tracked.request.deadline,
                         tracked.stranded_first + kFailoverTimeout});
  }
  for (const auto& [id, worker] : workers_) {
    due = std::min({due, worker.lease_until, worker.result_due});
    earliest = std::min({earliest, worker.lease_until, worker.result_due});
  }
  EXPECT_LE(harness_.core().NextTick(), due);
  EXPECT_GE(harness_.core().NextTick(), earliest);
  EXPECT_EQ(harness_.core().idle(), live_.empty());
}

void RandomWorld::Forget() {
  for (auto it = live_.begin(); it != live_.end();) {
    const Tracked& tracked = it->second;
    if (!tracked.record->ended()) {
      ++it;
      continue;
    }
    SCOPED_TRACE(absl::StrCat("request ", it->first.value()));
    if (tracked.record->error.has_value()) CheckError(tracked);
    CheckOutput(tracked);
    it = live_.erase(it);
  }
}

void RandomWorld::CheckError(const Tracked& tracked) {
  const absl::Status& error = *tracked.record->error;
  const bool stranded = tracked.stranded_first + kFailoverTimeout <= Now();
  switch (error.code()) {
    case absl::StatusCode::kDeadlineExceeded:
      EXPECT_LE(tracked.request.deadline, Now());
      ++counts_.expired;
      break;
    case absl::StatusCode::kAborted:
      EXPECT_TRUE(stranded || lost_worker_) << error;
      counts_.stranded += stranded ? 1 : 0;
      break;
    case absl::StatusCode::kUnavailable:
      EXPECT_TRUE(stranded) << error;
      EXPECT_TRUE(tracked.record->tokens.empty());
      EXPECT_TRUE(RetryDelayOf(error).has_value());
      ++counts_.stranded;
      break;
    default:
      ADD_FAILURE() << error;
  }
}

void RandomWorld::CheckOutput(const Tracked& tracked) const {
  // One class gave them all.
  const auto matches = [&](const std::string& build) {
    return IsOutputOf(tracked.request, tracked.stop_after,
                      FakeWorkerInfo({.build_id = build}).numerics, kVocabSize,
                      *tracked.record);
  };
  EXPECT_TRUE(tracked.build.empty() ? matches("x") || matches("y")
                                    : matches(tracked.build))
      << "got " << tracked.record->tokens.size() << " of "
      << tracked.request.max_tokens << " tokens";
  EXPECT_EQ(tracked.record->usage.completion_tokens,
            tracked.record->finished.has_value()
                ? static_cast<int64_t>(tracked.record->tokens.size())
                : 0);
}

void RandomWorld::Settle() {
  lost_worker_ = false;
  answered_.reset();
  for (const char* model : {"a", "b"}) {
    for (const char* build : {"x", "y"}) AddWorker(model, build);
  }
  const auto run_all = [this] {
    harness_.RunUntilQuiet();
    for (auto& [id, worker] : workers_) {
      if (harness_.worker(id).connected()) harness_.core().OnHeartbeat(id);
      worker.lease_until = Now() + kLease;
    }
    UpdateWorkers();
    Forget();
    CheckTimes();
  };
  run_all();
  // What still waits is too long for its numerics class's workers.
  harness_.clock().Advance(absl::Minutes(2));
  ExpectExpiries();
  harness_.core().Tick();
  run_all();
  harness_.core().CheckInvariants();
  EXPECT_TRUE(live_.empty());
  const SchedulerSnapshot snapshot = harness_.core().Snapshot();
  for (const WorkerSnapshot& worker : snapshot.workers) {
    for (const PoolSnapshot& pool : worker.pools) {
      EXPECT_EQ(pool.free + pool.cached, pool.half_slots);
    }
    EXPECT_EQ(harness_.worker(worker.id).num_used_half_slots(), 0);
    EXPECT_EQ(worker.outstanding_plans, 0);
  }
  EXPECT_EQ(snapshot.counts.accepted, snapshot.counts.finished +
                                          snapshot.counts.cancelled +
                                          snapshot.counts.failed);
  counts_.finished += snapshot.counts.finished;
  counts_.cancelled += snapshot.counts.cancelled;
  counts_.replays += snapshot.counts.replays;
  counts_.preemptions += snapshot.counts.preemptions;
  for (const auto& [id, worker] : harness_.workers()) {
    counts_.converted += worker->num_converted();
  }
}

}  // namespace hybridserve
