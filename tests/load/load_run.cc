#include "tests/load/load_run.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "common/status_details.h"
#include "glog/logging.h"

namespace hybridserve {

LoadRun::LoadRun(const LoadOptions& options,
                 std::vector<std::shared_ptr<grpc::Channel>> channels)
    : options_(options),
      start_(absl::Now()),
      totals_(start_),
      arrivals_(options.seed) {
  CHECK(!channels.empty());
  CHECK(options.rate > 0 || options.concurrency > 0);
  CHECK(options.requests > 0 || options.duration < absl::InfiniteDuration());
  for (auto& channel : channels) {
    stubs_.push_back(v1::InferenceService::NewStub(std::move(channel)));
  }
}

nlohmann::json LoadRun::Run() {
  if (options_.rate > 0) {
    timers_.At(start_, [this] { Arrive(start_); });
  } else {
    timers_.At(start_, [this] {
      for (int64_t i = 0; i < options_.concurrency; ++i) SendNext(start_);
    });
  }
  int64_t unended = 0;
  if (!WaitUntilAllEnded(options_.drain_timeout)) {
    std::vector<std::shared_ptr<LoadCall>> calls;
    {
      absl::MutexLock lock(&mutex_);
      giving_up_ = true;
      unended = in_flight_;
      for (const auto& [number, weak] : calls_) calls.push_back(weak.lock());
    }
    for (const auto& call : calls) {
      if (call != nullptr) call->Cancel();
    }
    calls.clear();
    CHECK(WaitUntilAllEnded(absl::Minutes(1))) << "calls outlive a cancel";
  }
  nlohmann::json json = totals_.ToJson();
  json["unended"] = unended;
  json["seconds"] = absl::ToDoubleSeconds(absl::Now() - start_);
  absl::MutexLock lock(&mutex_);
  json["send_seconds"] = absl::ToDoubleSeconds(last_sent_ - start_);
  json["peak_in_flight"] = peak_in_flight_;
  return json;
}

bool LoadRun::WaitUntilAllEnded(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&all_sent_));
  const auto ended = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return in_flight_ == 0;
  };
  return mutex_.AwaitWithTimeout(absl::Condition(&ended), timeout);
}

LoadRequest LoadRun::Make(int64_t number) const {
  // Of its own: what a request is does not depend on when it is sent.
  std::mt19937_64 random(options_.seed * 0x9E3779B97F4A7C15ULL + number);
  std::uniform_real_distribution<double> share(0, 1);
  LoadRequest request = {.number = number, .deadline = options_.deadline};
  const int64_t letters = options_.prompt_tokens.Draw(random) - 1;  // And bos.
  for (int64_t i = 0; i < letters; ++i) {
    const auto letter = static_cast<char>(random() % 27);
    request.prompt.push_back(
        static_cast<char>(letter == 26 ? ' ' : 'a' + letter));
  }
  request.max_tokens = options_.max_tokens.Draw(random);
  request.streams = share(random) < options_.stream_share;
  if (share(random) < options_.slow_share) {
    request.read_pause = options_.read_pause;
  }
  if (share(random) < options_.cancel_share) {
    request.cancel_after = share(random) * options_.cancel_after;
  }
  return request;
}

bool LoadRun::TakeNumber(absl::Time now, int64_t& number) {
  absl::MutexLock lock(&mutex_);
  if (all_sent_) return false;
  if ((options_.requests > 0 && next_number_ >= options_.requests) ||
      now >= start_ + options_.duration) {
    all_sent_ = true;
    return false;
  }
  number = next_number_++;
  last_sent_ = now;
  ++in_flight_;
  peak_in_flight_ = std::max(peak_in_flight_, in_flight_);
  if (next_number_ == options_.requests) all_sent_ = true;
  return true;
}

void LoadRun::Arrive(absl::Time due) {
  std::exponential_distribution<double> gap(options_.rate);
  while (due <= absl::Now()) {
    SendNext(due);
    due += absl::Seconds(gap(arrivals_));
    absl::MutexLock lock(&mutex_);
    if (all_sent_) return;
  }
  timers_.At(due, [this, due] { Arrive(due); });
}

void LoadRun::SendNext(absl::Time due) {
  const absl::Time now = absl::Now();
  int64_t number = 0;
  if (!TakeNumber(now, number)) return;
  totals_.CountSent(now - due);
  Send(Make(number));
}

void LoadRun::Send(LoadRequest request) {
  const int64_t number = request.number;
  const std::weak_ptr<LoadCall> call = StartLoadCall(
      *stubs_[number % stubs_.size()], std::move(request), timers_, *this);
  bool give_up = false;
  {
    absl::MutexLock lock(&mutex_);
    if (!call.expired()) calls_.insert_or_assign(number, call);
    give_up = giving_up_;
  }
  if (!give_up) return;
  if (const auto live = call.lock()) live->Cancel();
}

void LoadRun::OnTokens(int64_t count) {
  totals_.CountTokens(count, absl::Now());
}

void LoadRun::OnEnded(LoadRequest request, const LoadOutcome& outcome) {
  const std::optional<absl::Duration> delay = RetryDelayOf(outcome.status);
  bool retries = outcome.is_refusal() && delay.has_value() &&
                 request.attempts < options_.retries;
  {
    absl::MutexLock lock(&mutex_);
    calls_.erase(request.number);
    retries = retries && !giving_up_;
  }
  totals_.Count(request, outcome, retries);
  if (retries) {
    ++request.attempts;
    timers_.At(absl::Now() + *delay,
               [this, request = std::move(request)]() mutable {
                 Send(std::move(request));
               });
    return;
  }
  // On the timers' thread, so that gRPC's go on reading.
  timers_.At(absl::Now(), [this] { EndOne(); });
}

void LoadRun::EndOne() {
  if (options_.rate == 0) SendNext(absl::Now());
  absl::MutexLock lock(&mutex_);
  --in_flight_;
}

}  // namespace hybridserve
