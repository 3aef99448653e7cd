#ifndef HYBRIDSERVE_KERNELS_ROW_VISITS_H_
#define HYBRIDSERVE_KERNELS_ROW_VISITS_H_

#include <algorithm>
#include <cstdint>

#include "kernels/thread_pool.h"

namespace hybridserve {

// Calls run(row) for each of [0, rows), some rows at one visit of a thread:
// enough to pay for waking it.
template <typename Run>
void ForRowsByVisits(ThreadPool& pool, int64_t rows, const Run& run) {
  constexpr int64_t kRowsAtOnce = 8;
  const int64_t visits = (rows + kRowsAtOnce - 1) / kRowsAtOnce;
  pool.ParallelFor(visits, [&](int64_t visit) {
    const int64_t first = visit * kRowsAtOnce;
    const int64_t end = std::min(first + kRowsAtOnce, rows);
    for (int64_t row = first; row < end; ++row) run(row);
  });
}

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_ROW_VISITS_H_
