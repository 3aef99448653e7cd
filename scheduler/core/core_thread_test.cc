#include "scheduler/core/core_thread.h"

#include <atomic>
#include <deque>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "common/clock.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "scheduler/core/testing/fake_worker.h"

namespace hybridserve {
namespace {

std::unique_ptr<SchedulerCore> MakeCore(const Clock& clock) {
  return std::make_unique<SchedulerCore>(
      SchedulerOptions(), ParsePolicy("hybrid", 0.5).value(), clock);
}

// Runs its plans on a thread of its own, as a worker's connection does.
class ThreadedWorker {
 public:
  explicit ThreadedWorker(CoreThread& core)
      : core_(core), worker_(FakeWorkerInfo()) {
    id_ = core_
              .Call([this](SchedulerCore& core) {
                return core
                    .AddWorker(worker_.info(), std::make_unique<Link>(*this))
                    .value();
              })
              .value();
    thread_ = std::thread([this] { Run(); });
  }
  // The core drops the link first.
  ~ThreadedWorker() { thread_.join(); }

 private:
  class Link final : public WorkerLink {
   public:
    explicit Link(ThreadedWorker& owner)
        : owner_(owner), link_(owner.worker_.MakeLink()) {}
    ~Link() override {
      absl::MutexLock lock(&owner_.mutex_);
      owner_.closed_ = true;
    }
    void Send(StepPlan plan) override {
      absl::MutexLock lock(&owner_.mutex_);
      link_->Send(std::move(plan));
    }

   private:
    ThreadedWorker& owner_;
    std::unique_ptr<WorkerLink> link_;
  };

  void Run() {
    while (true) {
      StepResult result;
      {
        absl::MutexLock lock(&mutex_);
        mutex_.Await(absl::Condition(
            +[](ThreadedWorker* self) {
              return self->closed_ || self->worker_.outstanding() > 0;
            },
            this));
        if (closed_) return;
        result = worker_.RunNext();
      }
      core_.Post([this, result = std::move(result)](SchedulerCore& core) {
        core.OnResult(id_, result);
      });
    }
  }

  CoreThread& core_;
  absl::Mutex mutex_;
  FakeWorker worker_;  // Guarded by mutex_ once the thread runs.
  bool closed_ = false;
  WorkerId id_;
  std::thread thread_;
};

// Counts tokens and ends.
class CountingObserver final : public RequestObserver {
 public:
  CountingObserver(std::atomic<int>& tokens, std::atomic<int>& ended,
                   absl::Notification* done = nullptr)
      : tokens_(tokens), ended_(ended), done_(done) {}
  bool OnToken(const ProducedToken&) override {
    ++tokens_;
    return true;
  }
  void OnFinished(FinishReason, const Usage&) override { End(); }
  void OnError(const absl::Status&) override { End(); }

 private:
  void End() {
    ++ended_;
    if (done_ != nullptr) done_->Notify();
  }

  std::atomic<int>& tokens_;
  std::atomic<int>& ended_;
  absl::Notification* const done_;
};

GenerationRequest MakeRequest(int64_t max_tokens) {
  GenerationRequest request;
  request.prompt = {3, 4, 5};
  request.max_tokens = max_tokens;
  request.ignore_eos = true;
  return request;
}

TEST(CoreThreadTest, RunsTasksInOrderOnOneThread) {
  const SystemClock clock;
  CoreThread core(MakeCore(clock), clock);
  std::vector<int> order;  // Touched by the core's thread only.
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(core.Post([&order, i](SchedulerCore&) { order.push_back(i); }));
  }
  const std::vector<int> seen =
      core.Call([&order](SchedulerCore&) { return order; }).value();
  ASSERT_EQ(seen.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(seen[i], i);
}

TEST(CoreThreadTest, ManyClientsAndAWorkerOnTheirOwnThreads) {
  const SystemClock clock;
  std::atomic<int> tokens = 0;
  std::atomic<int> ended = 0;
  CoreThread core(MakeCore(clock), clock);
  ThreadedWorker worker(core);
  constexpr int kClients = 4;
  constexpr int kRequests = 25;
  std::vector<std::thread> clients;
  clients.reserve(kClients);
  for (int c = 0; c < kClients; ++c) {
    clients.emplace_back([&] {
      for (int i = 0; i < kRequests; ++i) {
        absl::Notification done;
        core.Post([&](SchedulerCore& core) {
          EXPECT_THAT(
              core.Submit(MakeRequest(5), std::make_unique<CountingObserver>(
                                              tokens, ended, &done)),
              IsOk());
        });
        done.WaitForNotification();
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(ended, kClients * kRequests);
  EXPECT_EQ(tokens, kClients * kRequests * 5);
  EXPECT_TRUE(
      core.Call([](SchedulerCore& core) { return core.idle(); }).value());
  core.Stop();
}

TEST(CoreThreadTest, TicksWhenADeadlineIsDue) {
  const SystemClock clock;
  std::atomic<int> tokens = 0;
  std::atomic<int> ended = 0;
  absl::Notification done;
  CoreThread core(MakeCore(clock), clock);
  FakeWorker silent(FakeWorkerInfo());
  core.Post([&](SchedulerCore& core) {
    ASSERT_THAT(core.AddWorker(silent.info(), silent.MakeLink()), IsOk());
    GenerationRequest request = MakeRequest(5);
    request.deadline = clock.Now() + absl::Milliseconds(20);
    ASSERT_THAT(core.Submit(request, std::make_unique<CountingObserver>(
                                         tokens, ended, &done)),
                IsOk());
  });
  done.WaitForNotification();  // Nothing but the deadline ends it.
  EXPECT_EQ(tokens, 0);
  core.Stop();
}

TEST(CoreThreadTest, StopRunsWhatWasPostedAndEndsRequests) {
  const SystemClock clock;
  std::atomic<int> tokens = 0;
  std::atomic<int> ended = 0;
  FakeWorker silent(FakeWorkerInfo());
  CoreThread core(MakeCore(clock), clock);
  core.Post([&](SchedulerCore& core) {
    ASSERT_THAT(core.AddWorker(silent.info(), silent.MakeLink()), IsOk());
    ASSERT_THAT(core.Submit(MakeRequest(5),
                            std::make_unique<CountingObserver>(tokens, ended)),
                IsOk());
  });
  core.Stop();
  EXPECT_EQ(ended, 1);
  EXPECT_FALSE(silent.connected());
  EXPECT_FALSE(core.Post([](SchedulerCore&) { FAIL() << "ran"; }));
  EXPECT_EQ(core.Call([](SchedulerCore&) { return 1; }), std::nullopt);
  core.Stop();
}

}  // namespace
}  // namespace hybridserve
