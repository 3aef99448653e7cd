#include "benchmark/benchmark.h"

namespace hybridserve {
namespace {

void BM_Nothing(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(state.iterations());
}
BENCHMARK(BM_Nothing);

}  // namespace
}  // namespace hybridserve
