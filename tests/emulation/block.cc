#include "tests/emulation/block.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <numeric>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "boost/context/fiber.hpp"
#include "boost/context/protected_fixedsize_stack.hpp"
#include "glog/logging.h"
#include "tests/emulation/fault_log.h"

namespace hybridserve::emulation {
namespace {

using boost::context::fiber;

constexpr size_t kStackBytes = 64 << 10;

class Block;

class BlockThread final : public KernelThread {
 public:
  enum class State { kReady, kAtBarrier, kAtWarpOp, kDone };

  BlockThread(Block& block, int number, Index3 index)
      : block_(block), number_(number), index_(index) {}

  Index3 thread_index() const { return index_; }
  Index3 block_index() const;
  const KernelLaunch& launch() const override;
  ThreadPoint point() const override;
  bool OwnsStack(const void* address) const override {
    const char* const byte = static_cast<const char*>(address);
    return byte >= stack_end_ - kStackBytes && byte < stack_end_;
  }
  void Barrier(const char* file, int line) {
    file_ = file;
    line_ = line;
    Wait(State::kAtBarrier);
  }
  uint64_t Arrive(const WarpArrival& arrival) {
    arrival_ = arrival;
    Wait(State::kAtWarpOp);
    return result_;
  }

  // Runs until it waits or ends.
  void Resume();
  void Release(uint64_t result = 0) {
    CHECK(state_ != State::kDone);
    arrival_.reset();
    result_ = result;
    state_ = State::kReady;
  }

  State state() const { return state_; }
  int number() const { return number_; }
  const std::optional<WarpArrival>& arrival() const { return arrival_; }
  // Waits at the same barrier.
  bool IsBeside(const BlockThread& other) const {
    return line_ == other.line_ &&
           (file_ == other.file_ || absl::string_view(file_) == other.file_);
  }
  std::string place() const {
    if (state_ == State::kAtBarrier) return absl::StrCat(file_, ":", line_);
    if (arrival_.has_value()) {
      return absl::StrCat(arrival_->file, ":", arrival_->line);
    }
    return "its end";
  }

 private:
  void Wait(State state) {
    state_ = state;
    caller_ = std::move(caller_).resume();
  }

  Block& block_;
  const int number_;
  const Index3 index_;
  State state_ = State::kReady;
  bool started_ = false;
  const char* file_ = "";
  int line_ = 0;
  std::optional<WarpArrival> arrival_;
  uint64_t result_ = 0;
  fiber fiber_;
  fiber caller_;
  char* stack_end_ = nullptr;
};

// Stacks are reused from block to block.
class StackPool {
 public:
  boost::context::stack_context Take() {
    if (free_.empty()) return stacks_.allocate();
    const boost::context::stack_context stack = free_.back();
    free_.pop_back();
    return stack;
  }
  void Give(const boost::context::stack_context& stack) {
    free_.push_back(stack);
  }

 private:
  boost::context::protected_fixedsize_stack stacks_{kStackBytes};
  std::vector<boost::context::stack_context> free_;
};

StackPool& Stacks() {
  static auto& pool = *new StackPool;
  return pool;
}

// What a fiber takes its stack from; the stack was taken before.
struct TakenStack {
  boost::context::stack_context stack;
  boost::context::stack_context allocate() { return stack; }
  void deallocate(boost::context::stack_context& given) {
    Stacks().Give(given);
  }
};

class Block {
 public:
  Block(const KernelLaunch& launch, Index3 index, int64_t number,
        std::mt19937_64& random)
      : launch_(launch), index_(index), number_(number), random_(random) {
    int thread = 0;
    for (uint32_t z = 0; z < launch.block.z; ++z) {
      for (uint32_t y = 0; y < launch.block.y; ++y) {
        for (uint32_t x = 0; x < launch.block.x; ++x) {
          threads_.push_back(
              std::make_unique<BlockThread>(*this, thread++, Index3{x, y, z}));
        }
      }
    }
    warp_syncs_.resize((threads_.size() + kWarpSize - 1) / kWarpSize);
  }

  // False: threads wait in vain.
  bool Run();

  const KernelLaunch& launch() const { return launch_; }
  Index3 index() const { return index_; }
  ThreadPoint PointOf(int thread) const {
    return {.block = static_cast<uint32_t>(number_),
            .thread = thread,
            .barriers = barriers_,
            .warp_syncs = warp_syncs_[thread / kWarpSize]};
  }

 private:
  using State = BlockThread::State;

  // Each resumes nobody; true if somebody may go on.
  bool ReleaseBarrier();
  bool ReleaseWarp(size_t warp);
  void ReportStuck();
  std::string Where(const BlockThread& thread) const {
    return absl::StrCat(launch_.name, ", ", thread.place());
  }

  const KernelLaunch& launch_;
  const Index3 index_;
  const int64_t number_;
  std::mt19937_64& random_;
  std::vector<std::unique_ptr<BlockThread>> threads_;
  uint32_t barriers_ = 0;
  std::vector<uint32_t> warp_syncs_;
};

thread_local BlockThread* current_thread = nullptr;
thread_local AccessListener* current_listener = nullptr;

Index3 BlockThread::block_index() const { return block_.index(); }
const KernelLaunch& BlockThread::launch() const { return block_.launch(); }
ThreadPoint BlockThread::point() const { return block_.PointOf(number_); }

void BlockThread::Resume() {
  current_thread = this;
  if (!std::exchange(started_, true)) {
    TakenStack taken{Stacks().Take()};
    stack_end_ = static_cast<char*>(taken.stack.sp);
    fiber_ = fiber(std::allocator_arg, taken, [this](fiber&& caller) {
      caller_ = std::move(caller);
      block_.launch().run(block_.launch().parameters.get());
      state_ = State::kDone;
      return std::move(caller_);
    });
  }
  fiber_ = std::move(fiber_).resume();
  current_thread = nullptr;
}

bool Block::Run() {
  std::vector<size_t> order(threads_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  for (;;) {
    std::shuffle(order.begin(), order.end(), random_);
    bool ran = false;
    for (const size_t i : order) {
      if (threads_[i]->state() != State::kReady) continue;
      threads_[i]->Resume();
      ran = true;
    }
    bool released = ReleaseBarrier();
    for (size_t warp = 0; warp < warp_syncs_.size(); ++warp) {
      released |= ReleaseWarp(warp);
    }
    if (released || ran) continue;
    const bool done = std::all_of(
        threads_.begin(), threads_.end(),
        [](const auto& thread) { return thread->state() == State::kDone; });
    if (!done) ReportStuck();
    return done;
  }
}

bool Block::ReleaseBarrier() {
  const BlockThread* first = nullptr;
  bool some_done = false;
  for (const auto& thread : threads_) {
    if (thread->state() == State::kDone) {
      some_done = true;
    } else if (thread->state() != State::kAtBarrier) {
      return false;
    } else if (first == nullptr) {
      first = thread.get();
    }
  }
  if (first == nullptr) return false;
  if (some_done) {
    AddFault(FaultKind::kBarrier, Where(*first),
             "threads of the block have ended and never come");
  }
  for (const auto& thread : threads_) {
    if (thread->state() != State::kAtBarrier || thread->IsBeside(*first)) {
      continue;
    }
    AddFault(FaultKind::kBarrier, Where(*first),
             absl::StrCat("other threads are at ", thread->place()));
  }
  for (const auto& thread : threads_) {
    if (thread->state() == State::kAtBarrier) thread->Release();
  }
  ++barriers_;
  return true;
}

bool Block::ReleaseWarp(size_t warp) {
  const size_t begin = warp * kWarpSize;
  const size_t end = std::min(begin + kWarpSize, threads_.size());
  bool released = false;
  for (;;) {
    WarpArrivals arrivals = {};
    for (size_t i = begin; i < end; ++i) {
      const auto& arrival = threads_[i]->arrival();
      if (arrival.has_value()) arrivals[i - begin] = &*arrival;
    }
    const WarpRelease release = Exchange(arrivals);
    if (release.lanes == 0) return released;
    released = true;
    bool all_sync = end - begin == kWarpSize && release.lanes == ~uint32_t{0};
    for (size_t i = begin; i < end; ++i) {
      if ((release.lanes >> (i - begin) & 1) == 0) continue;
      if (!release.fault.empty()) {
        AddFault(FaultKind::kMask, Where(*threads_[i]), release.fault);
      }
      all_sync &= threads_[i]->arrival()->op == WarpOp::kSync;
      threads_[i]->Release(release.results[i - begin]);
    }
    if (all_sync) ++warp_syncs_[warp];
  }
}

void Block::ReportStuck() {
  for (const auto& thread : threads_) {
    if (thread->state() == State::kDone) continue;
    const BlockThread* other = nullptr;
    for (const auto& candidate : threads_) {
      if (candidate->place() != thread->place()) other = candidate.get();
    }
    const bool barrier = thread->state() == State::kAtBarrier;
    AddFault(barrier ? FaultKind::kBarrier : FaultKind::kMask, Where(*thread),
             absl::StrCat("thread ", thread->number(), " waits in vain",
                          other == nullptr
                              ? ""
                              : absl::StrCat("; thread ", other->number(),
                                             " is at ", other->place())));
  }
}

}  // namespace

KernelThread* CurrentThread() { return current_thread; }
AccessListener* CurrentListener() { return current_listener; }

Index3 ThreadIndex() { return current_thread->thread_index(); }
Index3 BlockIndex() { return current_thread->block_index(); }
Index3 BlockShape() { return current_thread->launch().block; }
Index3 GridShape() { return current_thread->launch().grid; }
int LaneOfWarp() { return current_thread->number() % kWarpSize; }
void WaitAtBarrier(const char* file, int line) {
  current_thread->Barrier(file, line);
}
uint64_t ArriveAtWarpOp(const WarpArrival& arrival) {
  return current_thread->Arrive(arrival);
}

bool RunKernel(const KernelLaunch& launch, uint64_t seed,
               AccessListener* listener) {
  CHECK(current_listener == nullptr && current_thread == nullptr);
  std::mt19937_64 random(seed);
  current_listener = listener;
  bool done = true;
  int64_t number = 0;
  for (uint32_t z = 0; z < launch.grid.z && done; ++z) {
    for (uint32_t y = 0; y < launch.grid.y && done; ++y) {
      for (uint32_t x = 0; x < launch.grid.x && done; ++x) {
        done = Block(launch, {x, y, z}, number++, random).Run();
      }
    }
  }
  current_listener = nullptr;
  return done;
}

}  // namespace hybridserve::emulation
