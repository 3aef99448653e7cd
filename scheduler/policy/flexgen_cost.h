#ifndef HYBRIDSERVE_SCHEDULER_POLICY_FLEXGEN_COST_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_FLEXGEN_COST_H_

#include <cstdint>
#include <optional>

namespace hybridserve {

// FlexGen's own cost model (PAPER.md 2.3) without the disk, by which it chooses
// its policy: what it would do, not what this engine measures.

// A model of OPT's kind in 2-byte elements (hidden rows count in those), and
// sequences that are all alike.
struct FlexGenJob {
  int64_t num_layers = 0;
  int64_t hidden = 0;
  int64_t ffn = 0;
  int64_t num_heads = 0;
  double prompt_tokens = 0;
  double output_tokens = 0;
  // Of those weights of a layer whose place is open; unset: of all.
  std::optional<double> open_layer_bytes;
  // Memory is what is left for cache: nothing else counts.
  bool cache_only = false;

  // Multiplications and additions of a row in a layer, as many as bytes of all
  // its weights.
  double layer_flops() const {
    const auto h1 = static_cast<double>(hidden);
    return 8 * h1 * h1 + 4 * h1 * static_cast<double>(ffn);
  }
  double layer_bytes() const {
    return open_layer_bytes.value_or(layer_flops());
  }
};

// Where attention over the host's share of the cache runs.
enum class FlexGenAttention {
  kHost,    // As published: that cache never crosses the link.
  kDevice,  // As here: it is loaded in every step.
};

// Bytes and FLOP a second; what memory may be used, in bytes.
struct FlexGenHardware {
  double to_device = 0;
  double cache_to_host = 0;
  double hidden_to_host = 0;
  double prefill_matmul = 0;
  double decode_matmul = 0;
  double prefill_attention = 0;
  double decode_attention = 0;
  double host_attention = 0;  // Of many sequences of a narrow model.
  double device_bytes = 0;
  double host_bytes = 0;
};

// FlexGen's policy: mini-batches, and shares on the device in [0, 1]; the rest
// is on the host.
struct FlexGenPlacement {
  int64_t batch_sequences = 1;  // gpu_batch_size
  int64_t num_batches = 1;      // num_gpu_batches
  double weights = 0;
  double cache = 0;
  double hidden = 0;

  int64_t sequences() const { return batch_sequences * num_batches; }
};

struct FlexGenTimes {
  double prefill_layer = 0;  // Seconds: T_pre.
  double decode_layer = 0;   // T_gen.
  double total = 0;          // Of all sequences from the first to the last.
  double tokens_per_second = 0;
};

// Pure; so are those below. All numbers positive (shares may be 0).
FlexGenTimes PredictFlexGen(const FlexGenJob& job,
                            const FlexGenHardware& hardware,
                            FlexGenAttention attention,
                            const FlexGenPlacement& placement);

// Bytes at the peak, weights' double buffer and temporaries included.
struct FlexGenMemory {
  double device_prefill = 0;
  double device_decode = 0;
  double host_prefill = 0;
  double host_decode = 0;
};
FlexGenMemory FlexGenPeak(const FlexGenJob& job,
                          const FlexGenPlacement& placement);

// Within `hardware`'s memory.
bool FlexGenFits(const FlexGenJob& job, const FlexGenHardware& hardware,
                 const FlexGenPlacement& placement);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_FLEXGEN_COST_H_
