#include "scheduler/policy/flexgen_cost.h"

#include <algorithm>
#include <cmath>

// Names as in PAPER.md 2.3: s prompt, n output, h1 hidden, h2 ffn, bls all
// sequences, gbs those of a mini-batch; wc, cc, hc the host's shares. A K and V
// row is 4 h1 bytes, a hidden row 2 h1. Decoding sees s + n/2 positions on
// average. Prefill: loading, storing and computing overlap. Decoding: loading
// overlaps with nothing.

namespace hybridserve {
namespace {

struct Sizes {
  double s, n, h1, h2, nh, bls, gbs, layers;
};

Sizes SizesOf(const FlexGenJob& job, const FlexGenPlacement& placement) {
  return {.s = job.prompt_tokens,
          .n = job.output_tokens,
          .h1 = static_cast<double>(job.hidden),
          .h2 = static_cast<double>(job.ffn),
          .nh = static_cast<double>(job.num_heads),
          .bls = static_cast<double>(placement.sequences()),
          .gbs = static_cast<double>(placement.batch_sequences),
          .layers = static_cast<double>(job.num_layers)};
}

// How far the host falls short of its rate with few sequences and narrow
// models, as FlexGen fitted it.
double HostEfficiency(const Sizes& z) {
  const double few = std::max(0.0, std::log2(64 / z.gbs));
  const double narrow = std::max(0.0, std::log2(4096 / z.h1));
  return std::max(0.1,
                  1 + 0.0168 * few * narrow - 0.0328 * few - 0.0621 * narrow);
}

}  // namespace

FlexGenTimes PredictFlexGen(const FlexGenJob& job,
                            const FlexGenHardware& hardware,
                            FlexGenAttention attention,
                            const FlexGenPlacement& placement) {
  const Sizes z = SizesOf(job, placement);
  const double streamed = job.layer_bytes() * (1 - placement.weights);
  const double cc = 1 - placement.cache;
  const double hc = 1 - placement.hidden;
  FlexGenTimes times;

  const double hidden_bytes = 2 * z.s * z.h1 * z.bls * hc;
  times.prefill_layer =
      std::max({(streamed + hidden_bytes) / hardware.to_device,
                4 * (z.s + 1) * z.h1 * z.bls * cc / hardware.cache_to_host +
                    hidden_bytes / hardware.hidden_to_host,
                z.bls * z.s * job.layer_flops() / hardware.prefill_matmul +
                    4 * z.bls * z.s * z.s * z.h1 / hardware.prefill_attention});

  const double cached = 4 * z.bls * (z.s + z.n / 2) * z.h1;
  const double row_bytes = 2 * z.h1 * z.bls * hc;
  double load = (streamed + row_bytes) / hardware.to_device;
  double compute = z.bls * job.layer_flops() / hardware.decode_matmul;
  // `cached` is bytes of K and V and FLOP of attention alike.
  if (attention == FlexGenAttention::kHost) {
    compute += cached * placement.cache / hardware.decode_attention +
               cached * cc / (hardware.host_attention * HostEfficiency(z));
  } else {
    load += cached * cc / hardware.to_device;
    compute += cached / hardware.decode_attention;
  }
  times.decode_layer =
      load + std::max(row_bytes / hardware.hidden_to_host, compute);
  times.total =
      z.layers * (times.prefill_layer + (z.n - 1) * times.decode_layer);
  times.tokens_per_second = z.bls * z.n / times.total;
  return times;
}

FlexGenMemory FlexGenPeak(const FlexGenJob& job,
                          const FlexGenPlacement& placement) {
  const Sizes z = SizesOf(job, placement);
  const double wi = job.layer_bytes();
  const double wg = placement.weights;
  const double cg = placement.cache;
  const double hg = placement.hidden;
  const double all = z.s + z.n;
  const double weights = wi * z.layers * wg + 2 * wi * (1 - wg);
  const double cache = 4 * all * z.h1 * z.bls * z.layers * cg;
  FlexGenMemory memory;
  if (job.cache_only) {
    memory.device_decode = cache;
    memory.host_decode = 4 * all * z.h1 * z.bls * z.layers * (1 - cg);
    return memory;
  }
  memory.device_prefill =
      weights + cache + 2 * z.s * z.h1 * z.bls * hg +
      2 * z.s * z.h1 * z.gbs * (1 - hg) +
      z.gbs * (18 * z.s * z.h1 + 2 * z.nh * z.s * z.s + 2 * z.s * z.h2);
  memory.device_decode =
      weights + cache + 2 * z.h1 * z.bls * hg + 2 * z.h1 * z.gbs * (1 - hg) +
      4 * z.gbs * all * z.h1 * cg + z.gbs * (14 * z.h1 + 2 * z.h2) +
      z.gbs * cg * (4 * z.h1 + 4 * all * z.h1 + 2 * z.nh * all);
  memory.host_prefill = wi * z.layers * (1 - wg) +
                        2 * z.s * z.h1 * z.bls * (1 - hg) +
                        4 * z.s * z.h1 * z.bls * z.layers * (1 - cg) +
                        wi * (1 - wg) + 2 * z.s * z.h1 * z.gbs * (1 - hg);
  memory.host_decode = wi * z.layers * (1 - wg) + 2 * z.h1 * z.bls * (1 - hg) +
                       4 * all * z.h1 * z.bls * z.layers * (1 - cg) +
                       2 * z.nh * all * z.gbs + 2 * z.h1 * z.gbs;
  return memory;
}

bool FlexGenFits(const FlexGenJob& job, const FlexGenHardware& hardware,
                 const FlexGenPlacement& placement) {
  constexpr double kRounding = 1 + 1e-9;
  const FlexGenMemory peak = FlexGenPeak(job, placement);
  return std::max(peak.device_prefill, peak.device_decode) <=
             hardware.device_bytes * kRounding &&
         std::max(peak.host_prefill, peak.host_decode) <=
             hardware.host_bytes * kRounding;
}

}  // namespace hybridserve
