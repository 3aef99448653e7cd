#include "worker/flags/worker_flags.h"

#include <cstdint>
#include <optional>
#include <string>

#include "absl/flags/flag.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/flag_error.h"
#include "common/size.h"
#include "common/status_macros.h"

ABSL_FLAG(std::string, model_dir, "",
          "Folder of a Hugging Face model: config.json, *.safetensors, "
          "tokenizer.json or vocab.json and merges.txt.");
ABSL_FLAG(std::string, model_name, "",
          "Name that requests give the model. Default: the folder's name.");
ABSL_FLAG(std::string, device, "auto",
          "Where to compute: auto, cpu, cuda or cuda:N. auto: the first GPU, "
          "or the cpu where there is none. plan: measured, to measure this "
          "machine.");
ABSL_FLAG(std::string, dtype, "auto",
          "Element type of computing and cache: auto, float32, bfloat16 or, "
          "on a GPU, float16. auto follows the checkpoint and the device.");
ABSL_FLAG(std::string, device_memory, "auto",
          "Memory to use on the device, everything included: auto, min (the "
          "least that works) or a size such as 8GiB. On the cpu device a size "
          "makes a separate arena stand for an accelerator's memory.");
ABSL_FLAG(std::string, host_memory, "auto",
          "Memory for cache on the host: auto or a size such as 64GiB.");
ABSL_FLAG(std::string, staging_memory, "",
          "Memory for staging cache on the device: a size. Default: chosen by "
          "the memory plan.");
ABSL_FLAG(std::string, link_bandwidth, "",
          "On the cpu device: bytes per second, such as 12GB/s, of the link "
          "to model between host and device, per direction. Default: no "
          "modelled link.");
ABSL_FLAG(bool, batch_invariant, false,
          "On a GPU: the same tokens to the bit whatever the policy and the "
          "other requests, at the price of slower matrix products. Without, "
          "sums may be rounded in another order, which can turn a near tie. "
          "The cpu device always does so.");
ABSL_FLAG(bool, unpinned_cache, false,
          "Treats the host's cache as pageable, as FlexGen's is: each "
          "copy between it and the device goes by way of a pinned buffer. For "
          "--policy=flexgen --flexgen_relay=true; slower.");
ABSL_FLAG(int, weight_buffers, 2,
          "Layers whose weights the device holds at once while streaming.");
ABSL_FLAG(
    std::string, resident_weights, "auto",
    "Percent of the weights, from 0 to 100, that stays on the device, for "
    "--policy=flexgen and resident: whole matrices, each where the middle "
    "of it falls. auto: what --device_memory leaves room for.");
ABSL_FLAG(
    int64_t, recompute_tokens, 0,
    "For --policy=recompute: token positions that one step may recompute, "
    "all sequences together; half of what memory is left for them at "
    "most. In embedded mode 0 means as many as the policy asks for.");
ABSL_FLAG(int, block_tokens, 16, "Token positions of a cache block.");
ABSL_FLAG(int, threads, 0, "Threads that compute. 0: all cores.");
ABSL_FLAG(std::string, random_weights, "",
          "Seed: makes weights up from config.json alone instead of reading "
          "them, to measure shapes without a checkpoint.");
ABSL_FLAG(std::string, profile, "",
          "File that keeps what was measured at start; measured on the same "
          "setting, it is used instead of measuring again.");
ABSL_FLAG(std::string, trace, "",
          "File for a Chrome trace (Perfetto) of the device's streams.");

namespace hybridserve {
namespace {

absl::StatusOr<int64_t> ReadSize(absl::string_view flag,
                                 const std::string& text) {
  absl::StatusOr<int64_t> size = ParseSize(text);
  if (!size.ok()) return WrongFlag(flag, size.status().message());
  if (*size == 0) return WrongFlag(flag, "must be larger than 0");
  return size;
}

absl::StatusOr<MemorySetting> ReadMemory(absl::string_view flag,
                                         const std::string& text,
                                         bool takes_min) {
  if (text == "auto") return MemorySetting::Auto();
  if (text == "min" && takes_min) return MemorySetting::Min();
  ASSIGN_OR_RETURN(const int64_t bytes, ReadSize(flag, text));
  return MemorySetting::Bytes(bytes);
}

absl::StatusOr<std::optional<DType>> ReadDType(const std::string& text) {
  if (text == "auto") return std::nullopt;
  for (DType dtype : {DType::kFloat32, DType::kBFloat16, DType::kFloat16}) {
    if (text == Name(dtype)) return dtype;
  }
  return WrongFlag("dtype", absl::StrCat("\"", text,
                                         "\" is none of auto, float32, "
                                         "bfloat16, float16"));
}

}  // namespace

bool HasModelDirFlag() { return !absl::GetFlag(FLAGS_model_dir).empty(); }

absl::StatusOr<WorkerOptions> WorkerOptionsFromFlags() {
  WorkerOptions options;
  options.model_dir = absl::GetFlag(FLAGS_model_dir);
  if (options.model_dir.empty()) return WrongFlag("model_dir", "is required");
  options.model_name = absl::GetFlag(FLAGS_model_name);
  options.device = absl::GetFlag(FLAGS_device);
  ASSIGN_OR_RETURN(options.dtype, ReadDType(absl::GetFlag(FLAGS_dtype)));
  const bool on_cuda = absl::StartsWith(options.device, "cuda");
  if (options.dtype == DType::kFloat16 && !on_cuda &&
      !absl::StartsWith(options.device, "sim:")) {
    return WrongFlag("dtype", "the cpu device does not compute in float16");
  }
  ASSIGN_OR_RETURN(
      options.device_memory,
      ReadMemory("device_memory", absl::GetFlag(FLAGS_device_memory), true));
  ASSIGN_OR_RETURN(
      options.host_memory,
      ReadMemory("host_memory", absl::GetFlag(FLAGS_host_memory), false));
  if (const std::string text = absl::GetFlag(FLAGS_staging_memory);
      !text.empty()) {
    ASSIGN_OR_RETURN(options.staging_memory_bytes,
                     ReadSize("staging_memory", text));
  }
  if (const std::string text = absl::GetFlag(FLAGS_link_bandwidth);
      !text.empty()) {
    const absl::StatusOr<int64_t> bandwidth = ParseBandwidth(text);
    if (!bandwidth.ok()) {
      return WrongFlag("link_bandwidth", bandwidth.status().message());
    }
    options.link_bytes_per_second = static_cast<double>(*bandwidth);
  }
  options.batch_invariant = absl::GetFlag(FLAGS_batch_invariant);
  options.unpinned_cache = absl::GetFlag(FLAGS_unpinned_cache);
  if (options.unpinned_cache && !on_cuda && options.one_memory()) {
    return WrongFlag("unpinned_cache",
                     "needs --device_memory or --link_bandwidth; without, host "
                     "and device are one memory and no cache is copied");
  }
  options.weight_buffers = absl::GetFlag(FLAGS_weight_buffers);
  if (options.weight_buffers < 2) {
    return WrongFlag("weight_buffers", "must be at least 2");
  }
  options.block_tokens = absl::GetFlag(FLAGS_block_tokens);
  if (options.block_tokens < 1 || options.block_tokens > 1024) {
    return WrongFlag("block_tokens", "must be in [1, 1024]");
  }
  if (const std::string text = absl::GetFlag(FLAGS_resident_weights);
      text != "auto") {
    double percent = 0;
    if (!absl::SimpleAtod(text, &percent) ||
        !(percent >= 0 && percent <= 100)) {
      return WrongFlag(
          "resident_weights",
          absl::StrCat("\"", text, "\" is neither auto nor in [0, 100]"));
    }
    options.resident_weights = percent;
  }
  options.recompute_tokens = absl::GetFlag(FLAGS_recompute_tokens);
  if (options.recompute_tokens < 0) {
    return WrongFlag("recompute_tokens", "must not be negative");
  }
  options.threads = absl::GetFlag(FLAGS_threads);
  if (options.threads < 0 || options.threads > 4096) {
    return WrongFlag("threads", "must be in [0, 4096]");
  }
  if (const std::string text = absl::GetFlag(FLAGS_random_weights);
      !text.empty()) {
    uint64_t seed = 0;
    if (!absl::SimpleAtoi(text, &seed)) {
      return WrongFlag("random_weights",
                       absl::StrCat("\"", text, "\" is no seed (0 to 2^64-1)"));
    }
    options.random_weights = seed;
  }
  options.profile_file = absl::GetFlag(FLAGS_profile);
  options.trace_file = absl::GetFlag(FLAGS_trace);
  return options;
}

}  // namespace hybridserve
