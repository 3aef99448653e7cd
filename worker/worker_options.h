#ifndef HYBRIDSERVE_WORKER_WORKER_OPTIONS_H_
#define HYBRIDSERVE_WORKER_WORKER_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "common/dtype.h"

namespace hybridserve {

// An amount of memory as a flag gives it: "auto", "min" or a size.
struct MemorySetting {
  enum class Choice { kAuto, kMin, kBytes };
  Choice choice = Choice::kAuto;
  int64_t bytes = 0;  // Of kBytes: > 0.

  static MemorySetting Auto() { return {}; }
  static MemorySetting Min() { return {.choice = Choice::kMin}; }
  static MemorySetting Bytes(int64_t bytes) {
    return {.choice = Choice::kBytes, .bytes = bytes};
  }

  friend bool operator==(const MemorySetting&, const MemorySetting&) = default;
};

// What a worker is made from, as its flags name it (docs: worker --help).
struct WorkerOptions {
  std::string model_dir;   // A Hugging Face folder.
  std::string model_name;  // Empty: the folder's name.
  // As worker/device/device_factory.h names devices.
  std::string device = "auto";
  // GpuOptions::batch_invariant; the cpu device always is.
  bool batch_invariant = false;
  // Unset: by the checkpoint (DESIGN.md 10, dtype=auto).
  std::optional<DType> dtype;
  // Everything on the device. On the cpu device, auto without a link bandwidth
  // makes host and device one memory.
  MemorySetting device_memory;
  // Cache blocks on the host; kMin is refused.
  MemorySetting host_memory;
  // Staging buffers of the cache, both together; 0: chosen by the memory plan.
  int64_t staging_memory_bytes = 0;
  // The host's cache is treated as pageable, as FlexGen's is: each copy between
  // it and the device takes the way through a pinned buffer. Refused where host
  // and device are one memory.
  bool unpinned_cache = false;
  // Bytes a second in each direction that a modelled link carries; 0: no
  // model of a link.
  double link_bytes_per_second = 0;
  // Positions that one step may recompute from token ids, all sequences
  // together, as far as half of the memory that is left holds them (4 bytes x
  // hidden each).
  int64_t recompute_tokens = 0;
  // Percent of the weights that stay on the device, first of all that it is
  // used for (MemoryPlanInputs). Unset: as much as is left in the end.
  std::optional<double> resident_weights;
  int weight_buffers = 2;  // Layer slots of the weight ring, >= 2.
  int block_tokens = 16;   // Positions of a cache block, 1..1024.
  int threads = 0;         // Of compute; 0: all that the process may use.
  // Unset: weights from files; set: made from this seed, by config.json alone.
  std::optional<uint64_t> random_weights;
  int64_t max_running = 64;  // Sequences that host_memory=auto makes room for.
  // Where the measured profile is kept and reused; empty: measured each time.
  std::string profile_file;
  // Chrome trace JSON, written when the worker is destroyed; empty: none.
  std::string trace_file;

  // Host and device are one memory, if the device is the cpu.
  bool one_memory() const {
    return device_memory.choice == MemorySetting::Choice::kAuto &&
           link_bytes_per_second == 0;
  }

  friend bool operator==(const WorkerOptions&, const WorkerOptions&) = default;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_WORKER_OPTIONS_H_
