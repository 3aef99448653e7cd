// One block a row. Ids are ranked by 64-bit keys: the logit in an order of
// integers, then the id, so that no two are equal. What is asked of the ranking
// (the k-th best, the last within top_p, the one that is drawn) is each time
// the first id, from the best down, at which a running sum of weights exceeds a
// target; eight passes over the row find it, a byte of its key a pass. Weights
// are whole numbers, so that sums do not depend on the order of adding.
//
// Shared memory: a SampleScratch.

#include <cmath>

#include "kernels/cuda/launch.h"
#include "kernels/cuda/log_prob_fold.h"
#include "kernels/cuda/status.h"
#include "kernels/cuda/warp.h"
#include "kernels/sample_cuda.h"

namespace hybridserve {
namespace {

constexpr int kThreads = 128;
constexpr int kWarps = kThreads / kWarpLanes;
constexpr int kDigits = 256;
// The likeliest token's weight; 2^23 of them add up without overflow.
constexpr double kOne = 1099511627776.0;  // 2^40

using Word = unsigned long long;  // What atomicAdd takes.

struct SampleScratch {
  Word sums[kDigits];
  Word best[kWarps];
  Word count;
  Word total;
  Word prefix;
  Word target;
  // Of the logits as given.
  double max;
  double log_sum;  // Of e^(logit - max).
};

__device__ Word IdKey(int64_t id) {
  return 0xffffffffULL - static_cast<Word>(id);
}
__device__ int64_t IdOf(Word key) {
  return static_cast<int64_t>(0xffffffffULL - (key & 0xffffffffULL));
}

// Larger for a higher logit, then for a lower id; 0 for NaN, which is nobody.
__device__ Word RankKey(float logit, int64_t id) {
  if (isnan(logit)) return 0;
  const unsigned int bits = __float_as_uint(logit + 0.0F);  // -0 is 0.
  const unsigned int ordered =
      (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
  return static_cast<Word>(ordered) << 32 | IdKey(id);
}

// What is to be chosen from, and how likely each is.
struct Candidates {
  const float* logits;
  int64_t vocabulary;
  double max;
  double temperature;
  Word worst;  // Ids that rank below are out.

  __device__ Word Rank(int64_t id) const {
    const Word key = RankKey(logits[id], id);
    return key >= worst ? key : 0;
  }
  // Of one that is in.
  __device__ Word Weight(int64_t id) const {
    return static_cast<Word>(
        exp((static_cast<double>(logits[id]) - max) / temperature) * kOne +
        0.5);
  }
};

enum class WeightOf { kEach, kProbability };
enum class OrderBy { kRank, kId };

// The sum of all weights. All threads call; all have it.
__device__ Word Total(const Candidates& from, SampleScratch& scratch) {
  __syncthreads();
  if (threadIdx.x == 0) scratch.total = 0;
  __syncthreads();
  for (int64_t id = threadIdx.x; id < from.vocabulary; id += kThreads) {
    if (from.Rank(id) != 0) atomicAdd(&scratch.total, from.Weight(id));
  }
  __syncthreads();
  return scratch.total;
}

// The key of the first candidate, in the order of descending keys, at which the
// running sum of weights exceeds `target`, which is less than their sum. All
// threads call; all have it.
__device__ Word Select(const Candidates& from, OrderBy order, WeightOf weight,
                       Word target, SampleScratch& scratch) {
  Word prefix = 0;
  for (int shift = 56; shift >= 0; shift -= 8) {
    for (int digit = static_cast<int>(threadIdx.x); digit < kDigits;
         digit += kThreads) {
      scratch.sums[digit] = 0;
    }
    __syncthreads();
    for (int64_t id = threadIdx.x; id < from.vocabulary; id += kThreads) {
      const Word rank = from.Rank(id);
      if (rank == 0) continue;
      const Word key = order == OrderBy::kRank ? rank : IdKey(id);
      if (shift < 56 && key >> (shift + 8) != prefix) continue;
      const Word adds = weight == WeightOf::kEach ? 1 : from.Weight(id);
      if (adds != 0) atomicAdd(&scratch.sums[key >> shift & 0xff], adds);
    }
    __syncthreads();
    if (threadIdx.x == 0) {
      int digit = kDigits - 1;
      while (digit > 0 && scratch.sums[digit] <= target) {
        target -= scratch.sums[digit];
        --digit;
      }
      scratch.prefix = prefix << 8 | static_cast<Word>(digit);
      scratch.target = target;
    }
    __syncthreads();
    prefix = scratch.prefix;
    target = scratch.target;
  }
  return prefix;
}

// The largest of the threads' values. All threads call; all have it.
__device__ Word BlockMax(Word value, SampleScratch& scratch) {
  value = WarpMax(value);
  __syncthreads();  // All have read what was there.
  if (threadIdx.x % kWarpLanes == 0) {
    scratch.best[threadIdx.x / kWarpLanes] = value;
  }
  __syncthreads();
  for (int w = 0; w < kWarps; ++w) {
    value = scratch.best[w] > value ? scratch.best[w] : value;
  }
  return value;
}

// The best rank key of all, 0 if all are NaN, and how many are not. All threads
// call; all have it.
__device__ Word Best(const Candidates& all, SampleScratch& scratch) {
  if (threadIdx.x == 0) scratch.count = 0;
  __syncthreads();
  Word best = 0;
  for (int64_t id = threadIdx.x; id < all.vocabulary; id += kThreads) {
    const Word key = all.Rank(id);
    if (key != 0) atomicAdd(&scratch.count, Word{1});
    best = key > best ? key : best;
  }
  return BlockMax(best, scratch);
}

// The drawn token's id. All threads call.
__device__ int64_t Draw(Candidates from, const SampleCudaRow& how,
                        SampleScratch& scratch) {
  const auto count = static_cast<int64_t>(scratch.count);
  const bool has_top_k = how.top_k > 0 && how.top_k < count;
  if (has_top_k) {
    from.worst = Select(from, OrderBy::kRank, WeightOf::kEach,
                        static_cast<Word>(how.top_k - 1), scratch);
  }
  Word total = Total(from, scratch);
  if (how.top_p < 1) {
    const double wanted = ceil(how.top_p * static_cast<double>(total));
    const Word target = wanted < 1 ? 0 : static_cast<Word>(wanted) - 1;
    from.worst = Select(from, OrderBy::kRank, WeightOf::kProbability,
                        target < total ? target : total - 1, scratch);
    total = Total(from, scratch);
  }
  const auto target =
      static_cast<Word>(how.uniform * static_cast<double>(total));
  const bool ranked = has_top_k || how.top_p < 1;
  return IdOf(Select(from, ranked ? OrderBy::kRank : OrderBy::kId,
                     WeightOf::kProbability,
                     target < total ? target : total - 1, scratch));
}

// Changes the row's logits, until Restore(). All threads call.
__device__ void Change(const SampleCudaRow& how, SampleCudaChange* changes,
                       float* logits) {
  for (int64_t i = threadIdx.x; i < how.num_changes; i += kThreads) {
    SampleCudaChange& change = changes[how.first_change + i];
    float& logit = logits[change.id];
    change.logit = logit;
    if (change.is_repeated) {
      const double given = logit;
      logit = static_cast<float>(given > 0 ? given / how.repetition_penalty
                                           : given * how.repetition_penalty);
    }
    logit += change.plus;
  }
  __syncthreads();
}

__device__ void Restore(const SampleCudaRow& how,
                        const SampleCudaChange* changes, float* logits) {
  __syncthreads();  // All threads have read the changed ones.
  for (int64_t i = threadIdx.x; i < how.num_changes; i += kThreads) {
    const SampleCudaChange& change = changes[how.first_change + i];
    logits[change.id] = change.logit;
  }
  __syncthreads();
}

// All threads call.
__device__ void SumUp(const float* logits, int64_t vocabulary,
                      SampleScratch& scratch) {
  if (threadIdx.x < kWarpLanes) {
    float max = -INFINITY;
    float sum = 0;
    FoldLogits(logits, vocabulary, threadIdx.x, max, sum);
    if (threadIdx.x == 0) {
      scratch.max = max;
      scratch.log_sum = log(static_cast<double>(sum));
    }
  }
  __syncthreads();
}

// After SumUp().
__device__ float LogProb(float logit, const SampleScratch& scratch) {
  return static_cast<float>(static_cast<double>(logit) - scratch.max -
                            scratch.log_sum);
}

// The row's likeliest ids, each the best of those that rank below the last. All
// threads call, after SumUp().
__device__ void WriteTop(const SampleCudaArgs& args, int64_t row, int64_t count,
                         SampleScratch& scratch) {
  const float* logits = args.logits + row * args.logits_stride;
  int32_t* tokens = args.top_tokens + row * args.top_tokens_stride;
  float* log_probs = args.top_log_probs + row * args.top_log_probs_stride;
  Word last = ~Word{0};
  for (int64_t i = 0; i < count; ++i) {
    Word best = 0;
    for (int64_t id = threadIdx.x; id < args.vocabulary; id += kThreads) {
      const Word key = RankKey(logits[id], id);
      if (key < last && key > best) best = key;
    }
    last = BlockMax(best, scratch);
    if (threadIdx.x != 0) continue;
    tokens[i] = last == 0 ? -1 : static_cast<int32_t>(IdOf(last));
    log_probs[i] = last == 0 ? 0.0F : LogProb(logits[tokens[i]], scratch);
  }
}

__global__ void SampleKernel(SampleCudaArgs args) {
  SampleScratch& scratch = *SharedMemory<SampleScratch>();
  const int64_t row = blockIdx.x;
  const SampleCudaRow how = args.rows[row];
  float* logits = args.logits + row * args.logits_stride;
  if (how.num_changes > 0) Change(how, args.changes, logits);
  Candidates from = {.logits = logits,
                     .vocabulary = args.vocabulary,
                     .max = 0,
                     .temperature = how.temperature,
                     .worst = 1};  // All but NaN.
  const Word best = Best(from, scratch);
  int64_t token = best == 0 ? 0 : IdOf(best);
  from.max = logits[token];
  if (how.temperature > 0 && how.top_k != 1 && isfinite(from.max)) {
    token = Draw(from, how, scratch);
  }
  if (how.num_changes > 0) Restore(how, args.changes, logits);

  if (how.want_log_prob || how.num_top > 0) {
    SumUp(logits, args.vocabulary, scratch);
  }
  if (how.num_top > 0) WriteTop(args, row, how.num_top, scratch);
  if (threadIdx.x != 0) return;
  args.tokens[row * args.tokens_stride] = static_cast<int32_t>(token);
  args.log_probs[row * args.log_probs_stride] =
      how.want_log_prob ? LogProb(logits[token], scratch) : 0.0F;
}

}  // namespace

absl::Status SampleCuda(const SampleCudaArgs& args, CUstream_st* stream) {
  if (args.num_rows == 0) return absl::OkStatus();
  const LaunchShape shape = {.grid = static_cast<unsigned int>(args.num_rows),
                             .block = kThreads,
                             .shared_bytes = sizeof(SampleScratch)};
  return CudaStatus(Launch("SampleKernel", SampleKernel, shape, stream, args),
                    "SampleKernel");
}

}  // namespace hybridserve
