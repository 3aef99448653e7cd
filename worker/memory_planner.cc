#include "worker/memory_planner.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/dtype.h"
#include "common/size.h"
#include "common/status_macros.h"
#include "glog/logging.h"
#include "worker/resident_share.h"

// Device memory is dealt out in one order: first what no step can do without
// (a ring of layer slots and one of head slices, work buffers of a 16-row step,
// staging for one whole sequence), then longer steps and larger staging up to
// sizes beyond which they gain little (and rows of recomputed tokens, where
// they are asked for), then resident weights, then cache blocks. A share of
// resident weights that is asked for comes before all that is optional. A byte
// of resident weights or of cache saves one byte of link time a step (a
// resident part even shrinks the ring), but weights do so from the first token
// on.

namespace hybridserve {
namespace {

constexpr int64_t kMinStepRows = 16;
constexpr int64_t kDefaultStepRows = 512;
constexpr int64_t kMaxLogitRows = 64;
constexpr int64_t kDefaultStagingBytes = int64_t{256} << 20;  // Of one area.
constexpr int64_t kMaxRelayBytes = int64_t{64} << 20;
constexpr int kMinWeightBuffers = 2;
// Code, libraries, stacks and bookkeeping of a worker process.
constexpr int64_t kProgramBytes = int64_t{64} << 20;

int64_t BlocksOfOneSequence(const ModelConfig& config, int64_t block_tokens) {
  return (config.max_positions + block_tokens - 1) / block_tokens;
}

StepShape ShapeOfRows(int64_t rows, int64_t recomputed_rows = 0) {
  return {.rows = rows,
          .logit_rows = std::min(rows, kMaxLogitRows),
          .recomputed_rows = recomputed_rows};
}

// Fills a MemoryPlan in, step by step.
class Planner {
 public:
  explicit Planner(const MemoryPlanInputs& inputs)
      : in_(inputs), config_(*inputs.config), weights_(*inputs.weights) {}

  absl::StatusOr<MemoryPlan> Make() {
    RETURN_IF_ERROR(CheckSettings());
    SetUp();
    RETURN_IF_ERROR(CheckStaging());
    SetToMinimum();
    if (!in_.one_memory) {
      RETURN_IF_ERROR(FillDevice());
    }
    RETURN_IF_ERROR(FillHost());
    return plan_;
  }

 private:
  absl::Status CheckSettings() const {
    if (in_.weight_buffers < kMinWeightBuffers) {
      return absl::InvalidArgumentError(
          absl::StrCat("weight_buffers: ", in_.weight_buffers, " is less than ",
                       kMinWeightBuffers));
    }
    if (in_.block_tokens < 1 || in_.block_tokens > 1024) {
      return absl::InvalidArgumentError(absl::StrCat(
          "block_tokens: ", in_.block_tokens, " is not in [1, 1024]"));
    }
    if (in_.host_memory.choice == MemorySetting::Choice::kMin) {
      return absl::InvalidArgumentError(
          "host_memory: \"min\" is not a value; give auto or a size");
    }
    if (in_.recompute_tokens < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("recompute_tokens: ", in_.recompute_tokens));
    }
    if (in_.unpinned_cache && in_.one_memory) {
      return absl::InvalidArgumentError(
          "unpinned_cache: host and device are one memory, so that no cache is "
          "copied; give --device_memory or --link_bandwidth");
    }
    return absl::OkStatus();
  }

  void SetUp() {
    plan_.one_memory = in_.one_memory;
    plan_.half_slot_bytes =
        in_.block_tokens * config_.half_slot_width() * SizeOf(weights_.dtype);
    plan_.resident_layer_parts.assign(weights_.layer.pieces.size() + 1,
                                      in_.one_memory);
    plan_.resident_head_slices.assign(weights_.head.slices.size(),
                                      in_.one_memory);
    plan_.staging_areas = in_.one_memory ? 1 : 2;
    min_staging_ = HalfSlotsToStageOneSequence(config_, in_.block_tokens);
    max_cache_half_slots_ = std::min<int64_t>(
        in_.max_running * 2 * BlocksOfOneSequence(config_, in_.block_tokens),
        std::numeric_limits<int32_t>::max());
  }

  absl::Status CheckStaging() const {
    const int64_t needed =
        plan_.staging_areas * min_staging_ * plan_.half_slot_bytes;
    if (in_.staging_memory_bytes == 0 || in_.staging_memory_bytes >= needed) {
      return absl::OkStatus();
    }
    return absl::InvalidArgumentError(
        absl::StrCat("staging_memory: ", FormatSize(in_.staging_memory_bytes),
                     " does not hold one sequence of ", config_.max_positions,
                     " positions; ", needed, " bytes would"));
  }

  void SetToMinimum() {
    plan_.step = ShapeOfRows(kMinStepRows);
    SetStaging(min_staging_);
    if (in_.staging_memory_bytes > 0) SetStaging(DefaultStaging());
    plan_.weight_buffers =
        in_.device_memory.choice == MemorySetting::Choice::kMin
            ? kMinWeightBuffers
            : in_.weight_buffers;
    UpdateDevice();
    plan_.min_device_bytes = in_.one_memory ? 0 : plan_.device_bytes();
  }

  // Half-slots of one area.
  void SetStaging(int64_t half_slots) {
    plan_.staging_half_slots = static_cast<int32_t>(half_slots);
  }

  int64_t DefaultStaging() const {
    const int64_t max = std::numeric_limits<int32_t>::max();
    if (in_.staging_memory_bytes > 0) {
      return std::min(max, in_.staging_memory_bytes / plan_.staging_areas /
                               plan_.half_slot_bytes);
    }
    const int64_t wanted =
        std::min({max, in_.max_running * min_staging_,
                  kDefaultStagingBytes / plan_.half_slot_bytes});
    return std::max(wanted, min_staging_);
  }

  absl::Status FillDevice() {
    ASSIGN_OR_RETURN(plan_.device_limit, DeviceLimit());
    if (!in_.device_on_host && in_.device_available > 0 &&
        plan_.device_limit > in_.device_available) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "device_memory: ", Amount(plan_.device_limit), " is more than the ",
          Amount(in_.device_available), " that the device has free"));
    }
    if (plan_.device_limit < plan_.min_device_bytes) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "device_memory: ", FormatSize(plan_.device_limit), " (",
          plan_.device_limit, " bytes) is too little for this model; at least ",
          plan_.min_device_bytes,
          " bytes are needed, which "
          "--device_memory=min takes"));
    }
    if (in_.resident_weights.has_value()) {
      RETURN_IF_ERROR(MakeResident(*in_.resident_weights));
    }
    if (in_.device_memory.choice == MemorySetting::Choice::kMin) {
      return absl::OkStatus();
    }
    GrowStep();
    plan_.step.recomputed_rows =
        RecomputedRows((plan_.device_limit - plan_.device_bytes()) / 2);
    UpdateDevice();
    GrowStaging();
    if (!in_.resident_weights.has_value()) AddResidentWeights();
    AddDeviceCache();
    return absl::OkStatus();
  }

  absl::StatusOr<int64_t> DeviceLimit() const {
    switch (in_.device_memory.choice) {
      case MemorySetting::Choice::kMin:
        return plan_.min_device_bytes;
      case MemorySetting::Choice::kBytes:
        return in_.device_memory.bytes;
      case MemorySetting::Choice::kAuto:
        break;
    }
    // A modelled device shares the host's memory and leaves it the most.
    return in_.device_on_host
               ? std::max(in_.host_available / 4, plan_.min_device_bytes)
               : in_.device_available / 10 * 9;
  }

  // True, with the plan updated, if the device holds it as it now stands.
  bool DeviceHolds() {
    UpdateDevice();
    return plan_.device_bytes() <= plan_.device_limit;
  }

  // Longer steps, with at most half of what is left.
  void GrowStep() {
    const int64_t floor = plan_.device_bytes();
    const int64_t share = (plan_.device_limit - floor) / 2;
    for (int64_t rows = kDefaultStepRows; rows > kMinStepRows;
         rows -= kMinStepRows) {
      plan_.step = ShapeOfRows(rows);
      UpdateDevice();
      if (plan_.device_bytes() - floor <= share) return;
    }
    plan_.step = ShapeOfRows(kMinStepRows);
    UpdateDevice();
  }

  // Rows of recomputed tokens that so much memory holds: whole blocks.
  int64_t RecomputedRows(int64_t bytes) const {
    const int64_t most = std::min(
        in_.recompute_tokens,
        in_.max_running * BlocksOfOneSequence(config_, in_.block_tokens) *
            in_.block_tokens);
    const WorkspaceSizes one =
        MakeWorkspaceSizes(config_, weights_, ShapeOfRows(16, 16));
    const WorkspaceSizes none =
        MakeWorkspaceSizes(config_, weights_, ShapeOfRows(16));
    // In host memory the inputs' buffers, two of them, are as large again.
    const int64_t row_bytes = (one.activations() - none.activations()) / 16 *
                              (in_.one_memory ? 3 : 1);
    // Rounding up to 64 bytes must not go beyond.
    const int64_t rows = std::max<int64_t>(bytes - 256, 0) / row_bytes;
    const int64_t block_tokens = in_.block_tokens;
    const int64_t wanted = (most + block_tokens - 1) / block_tokens;
    return std::min(wanted, rows / block_tokens) * block_tokens;
  }

  // Larger staging areas, with at most a quarter of what is left.
  void GrowStaging() {
    const int64_t share =
        (plan_.device_limit - plan_.device_bytes()) / 4 / plan_.staging_areas;
    SetStaging(std::clamp(
        plan_.staging_half_slots + share / plan_.half_slot_bytes, min_staging_,
        std::max<int64_t>(DefaultStaging(), plan_.staging_half_slots)));
    UpdateDevice();
  }

  absl::Status MakeResident(double percent) {
    plan_.resident_layer_parts = ResidentLayerParts(weights_.layer, percent);
    plan_.resident_head_slices.assign(weights_.head.slices.size(),
                                      HeadIsResident(percent));
    if (DeviceHolds()) return absl::OkStatus();
    return absl::ResourceExhaustedError(absl::StrCat(
        "device_memory: ", Amount(plan_.device_limit), " does not hold ",
        percent, "% of the weights (--resident_weights); at least ",
        plan_.device_bytes(), " bytes are needed"));
  }

  void AddResidentWeights() {
    const auto add_while_they_fit = [this](std::vector<bool>& parts) {
      for (size_t i = 0; i < parts.size(); ++i) {
        parts[i] = true;
        if (!DeviceHolds()) parts[i] = false;
      }
    };
    add_while_they_fit(plan_.resident_layer_parts);
    add_while_they_fit(plan_.resident_head_slices);
    UpdateDevice();
  }

  void AddDeviceCache() {
    const int64_t left = plan_.device_limit - plan_.device_bytes();
    const int64_t half_slots =
        std::min(left / (plan_.half_slot_bytes * weights_.num_layers),
                 max_cache_half_slots_);
    plan_.device_half_slots =
        half_slots < 2 ? 0 : static_cast<int32_t>(half_slots);
    UpdateDevice();
  }

  // Sets the rings' slot sizes and the items of the device.
  void UpdateDevice() {
    if (in_.one_memory) return;
    plan_.ring_slot_bytes = plan_.streamed_layer_bytes(weights_);
    plan_.head_slot_bytes = 0;
    int64_t resident_head = 0;
    for (size_t i = 0; i < weights_.head.slices.size(); ++i) {
      const int64_t bytes = weights_.head.slices[i].bytes;
      if (plan_.resident_head_slices[i]) {
        resident_head += bytes;
      } else {
        plan_.head_slot_bytes = std::max(plan_.head_slot_bytes, bytes);
      }
    }
    const int64_t resident_layer =
        weights_.layer.bytes - plan_.streamed_layer_bytes(weights_);
    plan_.device = WorkItems();
    if (in_.device_reserved > 0) {
      plan_.device.push_back({"ops", in_.device_reserved});
    }
    plan_.device.push_back(
        {"weight ring", plan_.weight_buffers * plan_.ring_slot_bytes +
                            plan_.head_buffers * plan_.head_slot_bytes});
    plan_.device.push_back({"outer weights", weights_.outer.bytes});
    plan_.device.push_back(
        {"resident weights",
         weights_.num_layers * resident_layer + resident_head});
    plan_.device.push_back(
        {"device cache", plan_.device_half_slots * plan_.half_slot_bytes *
                             weights_.num_layers});
  }

  // Buffers that steps compute in, wherever they lie.
  std::vector<MemoryItem> WorkItems() const {
    const WorkspaceSizes sizes =
        MakeWorkspaceSizes(config_, weights_, plan_.step);
    return {{"activations", sizes.activations()},
            {"new rows", 2 * sizes.new_rows()},
            {"logits", sizes.outputs()},
            {"staging", int64_t{plan_.staging_areas} *
                            plan_.staging_half_slots * plan_.half_slot_bytes}};
  }

  // A staging area's bytes are all that one copy brings. A block is far smaller
  // than the most.
  int64_t RelayBytes() const {
    if (!in_.unpinned_cache) return 0;
    return std::min(kMaxRelayBytes,
                    plan_.staging_half_slots * plan_.half_slot_bytes);
  }

  // Sets the relays' size and the items of the host but for the cache.
  void UpdateHost() {
    plan_.relay_bytes = RelayBytes();
    const WorkspaceSizes sizes =
        MakeWorkspaceSizes(config_, weights_, plan_.step);
    plan_.host = {{"weights", weights_.TotalBytes()},
                  {"step inputs and outputs",
                   2 * (sizes.host_inputs() + sizes.host_outputs())},
                  {"loading", in_.loading_bytes},
                  {"program", kProgramBytes}};
    if (in_.unpinned_cache) {
      plan_.host.push_back({"relays", 2 * plan_.relay_bytes});
    }
    if (in_.one_memory) {
      for (MemoryItem& item : WorkItems()) plan_.host.push_back(item);
    }
  }

  // The cache takes what a given size says, or what is needed and left.
  absl::Status FillHost() {
    const bool given = in_.host_memory.choice == MemorySetting::Choice::kBytes;
    plan_.host_limit =
        in_.host_available - (in_.device_on_host ? plan_.device_bytes() : 0);
    if (in_.one_memory) {
      plan_.step =
          ShapeOfRows(kDefaultStepRows, RecomputedRows(plan_.host_limit / 4));
      SetStaging(DefaultStaging());
    }
    const int64_t half_slot_bytes = plan_.half_slot_bytes * weights_.num_layers;
    const int64_t min_half_slots =
        2 * BlocksOfOneSequence(config_, in_.block_tokens);
    const int64_t min_cache = min_half_slots * half_slot_bytes;
    if (given && in_.host_memory.bytes < min_cache) {
      return absl::ResourceExhaustedError(
          absl::StrCat("host_memory: ", Amount(in_.host_memory.bytes),
                       " does not hold the cache of one sequence of the "
                       "model's full length; at least ",
                       min_cache, " bytes are needed"));
    }
    const int64_t wanted = given ? in_.host_memory.bytes : min_cache;
    UpdateHost();
    if (in_.one_memory && plan_.host_bytes() + wanted > plan_.host_limit) {
      SetToMinimum();
      UpdateHost();
    }
    const int64_t room = plan_.host_limit - plan_.host_bytes();
    if (wanted > room) return TooLittleOnHost(given, min_cache, room);
    const int64_t half_slots =
        given
            ? wanted / half_slot_bytes
            : std::clamp(std::min(plan_.host_limit / 2, room) / half_slot_bytes,
                         min_half_slots, max_cache_half_slots_);
    plan_.host_half_slots = static_cast<int32_t>(
        std::min<int64_t>(half_slots, std::numeric_limits<int32_t>::max()));
    plan_.host.push_back(
        {"host cache", plan_.host_half_slots * half_slot_bytes});
    return absl::OkStatus();
  }

  absl::Status TooLittleOnHost(bool given, int64_t min_cache,
                               int64_t room) const {
    const std::string rest = absl::StrCat(
        "this machine or its cgroup leaves ",
        Amount(std::max<int64_t>(plan_.host_limit, 0)), " and ",
        Amount(plan_.host_bytes()), " of it are for weights and work");
    if (given && room >= min_cache) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "host_memory: ", Amount(in_.host_memory.bytes),
          " does not fit: ", rest, "; ", room, " bytes would fit"));
    }
    return absl::ResourceExhaustedError(absl::StrCat(
        "host memory is too little for this model: ", rest, "; at least ",
        plan_.host_bytes() + min_cache, " bytes in all are needed"));
  }

  static std::string Amount(int64_t bytes) {
    return absl::StrCat(FormatSize(bytes), " (", bytes, " bytes)");
  }

  const MemoryPlanInputs& in_;
  const ModelConfig& config_;
  const WeightPlan& weights_;
  int64_t min_staging_ = 0;
  int64_t max_cache_half_slots_ = 0;
  MemoryPlan plan_;
};

}  // namespace

int64_t HalfSlotsToStageOneSequence(const ModelConfig& config,
                                    int64_t block_tokens) {
  return (config.act_pays() ? 3 : 2) *
         BlocksOfOneSequence(config, block_tokens);
}

absl::StatusOr<MemoryPlan> MakeMemoryPlan(const MemoryPlanInputs& inputs) {
  CHECK(inputs.config != nullptr && inputs.weights != nullptr);
  return Planner(inputs).Make();
}

}  // namespace hybridserve
