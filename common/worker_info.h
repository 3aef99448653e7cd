#ifndef HYBRIDSERVE_COMMON_WORKER_INFO_H_
#define HYBRIDSERVE_COMMON_WORKER_INFO_H_

#include <cstdint>
#include <string>
#include <vector>

#include "common/cache/block_ref.h"
#include "common/dtype.h"
#include "common/work_profile.h"

namespace hybridserve {

// Workers of one class give identical tokens (DESIGN.md 2).
struct NumericsClass {
  std::string weights_hash;       // SHA-256 over config and weights, hex.
  std::string backend;            // "cpu", "cuda", "sim".
  std::string isa;                // "avx2", "avx512_bf16", ...
  DType dtype = DType::kFloat32;  // Compute and cache dtype.
  int32_t block_tokens = 16;
  std::string build_id;

  friend bool operator==(const NumericsClass&, const NumericsClass&) = default;
};

// One arena: `[layer][half-slot]`.
struct PoolInfo {
  Tier tier = Tier::kHost;
  int32_t half_slots = 0;
  int64_t half_slot_bytes = 0;  // In one layer.
};

// The model's files as the scheduler needs them, whole; empty where absent.
struct ModelFiles {
  std::string config_json;
  std::string generation_config_json;
  std::string tokenizer_json;
  std::string tokenizer_config_json;
  std::string special_tokens_map_json;
  std::string vocab_json;
  std::string merges_txt;
};

// Rates measured by the worker at start, each op alone; the planner's input.
struct WorkerProfile {
  double link_bytes_per_second = 0;      // Host to device; inf if one memory.
  double copy_out_bytes_per_second = 0;  // Device to host.
  double gemm_flops_per_second = 0;      // The rebuild GEMM, many rows.
  WorkProfile work;
};

// What a worker says of itself when it registers.
struct WorkerInfo {
  std::string name;    // For people: host name and pid.
  uint64_t epoch = 0;  // Its incarnation: larger than any before.
  std::string model_name;
  ModelFiles files;
  NumericsClass numerics;
  std::string device;           // In words.
  std::vector<PoolInfo> pools;  // At most one a tier.
  // Half-slots that one mini-batch may stage in a layer. A LOADed, REBUILT or
  // recomputed block takes two (K and V), a REBUILT block one more for its ACT
  // rows.
  int32_t staging_half_slots = 0;
  int32_t max_step_tokens = 0;  // Rows of one step, all sequences.
  int32_t max_logit_rows = 0;   // Sequences that sample in one step.
  // Positions of TOKENS blocks recomputed in one step, all sequences.
  int32_t max_recomputed_tokens = 0;
  // The host's pool is not pinned, or is treated so: copies between it and the
  // device go by way of a buffer, the worker's or the driver's.
  bool unpinned_cache = false;
  int64_t layer_bytes = 0;           // One decoder layer, packed.
  int64_t streamed_layer_bytes = 0;  // Of it, crossing the link every step.
  int64_t streamed_head_bytes = 0;   // LM head bytes crossing every step.
  int32_t head_slices = 1;           // That the LM head is computed in.
  WorkerProfile profile;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_WORKER_INFO_H_
