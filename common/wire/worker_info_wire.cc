#include "common/wire/worker_info_wire.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/status_details.h"
#include "common/status_macros.h"
#include "common/wire/enum_wire.h"
#include "common/wire/model_files_wire.h"
#include "common/wire/work_wire.h"

namespace hybridserve {
namespace {

namespace pb = worker::v1;

constexpr size_t kMaxTextBytes = 256;
constexpr int64_t kMaxBytes = int64_t{1} << 60;
constexpr int kMaxBlockTokens = 1024;

absl::Status CheckText(absl::string_view field, absl::string_view text,
                       bool may_be_empty) {
  if (text.size() > kMaxTextBytes) {
    return InvalidFieldError(field,
                             absl::StrCat("longer than ", kMaxTextBytes));
  }
  if (text.empty() && !may_be_empty) return InvalidFieldError(field, "empty");
  return absl::OkStatus();
}

absl::Status CheckRange(absl::string_view field, int64_t value, int64_t min,
                        int64_t max) {
  if (value >= min && value <= max) return absl::OkStatus();
  return InvalidFieldError(
      field, absl::StrCat(value, " is not in [", min, ", ", max, "]"));
}

absl::Status CheckRate(absl::string_view field, double value) {
  if (value >= 0) return absl::OkStatus();  // Infinite is fine; NaN is not.
  return InvalidFieldError(field, "not a number from 0 up");
}

absl::StatusOr<NumericsClass> NumericsFromWire(const pb::NumericsClass& wire) {
  const std::string& hash = wire.weights_hash();
  if (hash.size() != 64 ||
      !std::all_of(hash.begin(), hash.end(), absl::ascii_isxdigit)) {
    return InvalidFieldError("register.numerics.weights_hash",
                             "not 64 hex digits");
  }
  RETURN_IF_ERROR(CheckText("register.numerics.backend", wire.backend(),
                            /*may_be_empty=*/false));
  RETURN_IF_ERROR(
      CheckText("register.numerics.isa", wire.isa(), /*may_be_empty=*/true));
  RETURN_IF_ERROR(CheckText("register.numerics.build_id", wire.build_id(),
                            /*may_be_empty=*/true));
  RETURN_IF_ERROR(CheckRange("register.numerics.block_tokens",
                             wire.block_tokens(), 1, kMaxBlockTokens));
  ASSIGN_OR_RETURN(const DType dtype, DTypeFromWire(wire.dtype()));
  return NumericsClass{
      .weights_hash = hash,
      .backend = wire.backend(),
      .isa = wire.isa(),
      .dtype = dtype,
      .block_tokens = wire.block_tokens(),
      .build_id = wire.build_id(),
  };
}

absl::StatusOr<std::vector<PoolInfo>> PoolsFromWire(const pb::Register& wire) {
  std::vector<PoolInfo> pools;
  for (const pb::PoolInfo& pool : wire.pools()) {
    ASSIGN_OR_RETURN(const Tier tier, TierFromWire(pool.tier()));
    for (const PoolInfo& other : pools) {
      if (other.tier == tier) {
        return InvalidFieldError("register.pools", "a tier is there twice");
      }
    }
    RETURN_IF_ERROR(CheckRange("register.pools.half_slots", pool.half_slots(),
                               0, std::numeric_limits<int32_t>::max()));
    RETURN_IF_ERROR(CheckRange("register.pools.half_slot_bytes",
                               pool.half_slot_bytes(), 1, kMaxBytes));
    pools.push_back({.tier = tier,
                     .half_slots = pool.half_slots(),
                     .half_slot_bytes = pool.half_slot_bytes()});
  }
  return pools;
}

absl::Status CheckLimits(const pb::Register& wire) {
  constexpr int64_t kMaxInt32 = std::numeric_limits<int32_t>::max();
  RETURN_IF_ERROR(CheckText("register.device", wire.device(),
                            /*may_be_empty=*/true));
  RETURN_IF_ERROR(CheckRange("register.staging_half_slots",
                             wire.staging_half_slots(), 1, kMaxInt32));
  RETURN_IF_ERROR(CheckRange("register.max_step_tokens", wire.max_step_tokens(),
                             1, kMaxInt32));
  RETURN_IF_ERROR(CheckRange("register.max_logit_rows", wire.max_logit_rows(),
                             1, kMaxInt32));
  RETURN_IF_ERROR(CheckRange("register.max_recomputed_tokens",
                             wire.max_recomputed_tokens(), 0, kMaxInt32));
  RETURN_IF_ERROR(
      CheckRange("register.layer_bytes", wire.layer_bytes(), 0, kMaxBytes));
  RETURN_IF_ERROR(CheckRange("register.streamed_layer_bytes",
                             wire.streamed_layer_bytes(), 0, kMaxBytes));
  RETURN_IF_ERROR(CheckRange("register.streamed_head_bytes",
                             wire.streamed_head_bytes(), 0, kMaxBytes));
  RETURN_IF_ERROR(
      CheckRange("register.head_slices", wire.head_slices(), 1, kMaxInt32));
  const pb::WorkerProfile& profile = wire.profile();
  RETURN_IF_ERROR(CheckRate("register.profile.link_bytes_per_second",
                            profile.link_bytes_per_second()));
  RETURN_IF_ERROR(CheckRate("register.profile.copy_out_bytes_per_second",
                            profile.copy_out_bytes_per_second()));
  return CheckRate("register.profile.gemm_flops_per_second",
                   profile.gemm_flops_per_second());
}

}  // namespace

absl::Status CheckHello(const pb::Hello& hello) {
  if (hello.wire_revision() != kWireRevision) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the worker speaks revision ", hello.wire_revision(),
        " of the worker protocol and this scheduler revision ", kWireRevision,
        ": upgrade the ",
        hello.wire_revision() < kWireRevision ? "worker" : "scheduler"));
  }
  RETURN_IF_ERROR(CheckText("hello.worker_name", hello.worker_name(),
                            /*may_be_empty=*/true));
  RETURN_IF_ERROR(
      CheckText("hello.build_id", hello.build_id(), /*may_be_empty=*/true));
  return CheckText("hello.model_name", hello.model_name(),
                   /*may_be_empty=*/false);
}

void WorkerInfoToWire(const WorkerInfo& info, pb::Register& wire) {
  for (pb::FileDigest& digest : DigestsOf(info.files)) {
    *wire.add_files() = std::move(digest);
  }
  pb::NumericsClass& numerics = *wire.mutable_numerics();
  numerics.set_weights_hash(info.numerics.weights_hash);
  numerics.set_backend(info.numerics.backend);
  numerics.set_isa(info.numerics.isa);
  numerics.set_dtype(DTypeToWire(info.numerics.dtype));
  numerics.set_block_tokens(info.numerics.block_tokens);
  numerics.set_build_id(info.numerics.build_id);
  wire.set_device(info.device);
  for (const PoolInfo& pool : info.pools) {
    pb::PoolInfo& added = *wire.add_pools();
    added.set_tier(TierToWire(pool.tier));
    added.set_half_slots(pool.half_slots);
    added.set_half_slot_bytes(pool.half_slot_bytes);
  }
  wire.set_staging_half_slots(info.staging_half_slots);
  wire.set_max_step_tokens(info.max_step_tokens);
  wire.set_max_logit_rows(info.max_logit_rows);
  wire.set_max_recomputed_tokens(info.max_recomputed_tokens);
  wire.set_unpinned_cache(info.unpinned_cache);
  wire.set_layer_bytes(info.layer_bytes);
  wire.set_streamed_layer_bytes(info.streamed_layer_bytes);
  wire.set_streamed_head_bytes(info.streamed_head_bytes);
  wire.set_head_slices(info.head_slices);
  pb::WorkerProfile& profile = *wire.mutable_profile();
  profile.set_link_bytes_per_second(info.profile.link_bytes_per_second);
  profile.set_copy_out_bytes_per_second(info.profile.copy_out_bytes_per_second);
  profile.set_gemm_flops_per_second(info.profile.gemm_flops_per_second);
  WorkProfileToWire(info.profile.work, *profile.mutable_costs());
}

absl::StatusOr<WorkerInfo> WorkerInfoFromWire(const pb::Hello& hello,
                                              uint64_t epoch, ModelFiles files,
                                              const pb::Register& wire) {
  RETURN_IF_ERROR(CheckLimits(wire));
  WorkerInfo info{
      .name = hello.worker_name(),
      .epoch = epoch,
      .model_name = hello.model_name(),
      .files = std::move(files),
      .device = wire.device(),
      .staging_half_slots = wire.staging_half_slots(),
      .max_step_tokens = wire.max_step_tokens(),
      .max_logit_rows = wire.max_logit_rows(),
      .max_recomputed_tokens = wire.max_recomputed_tokens(),
      .unpinned_cache = wire.unpinned_cache(),
      .layer_bytes = wire.layer_bytes(),
      .streamed_layer_bytes = wire.streamed_layer_bytes(),
      .streamed_head_bytes = wire.streamed_head_bytes(),
      .head_slices = wire.head_slices(),
      .profile =
          {
              .link_bytes_per_second = wire.profile().link_bytes_per_second(),
              .copy_out_bytes_per_second =
                  wire.profile().copy_out_bytes_per_second(),
              .gemm_flops_per_second = wire.profile().gemm_flops_per_second(),
          },
  };
  ASSIGN_OR_RETURN(info.numerics, NumericsFromWire(wire.numerics()));
  ASSIGN_OR_RETURN(info.pools, PoolsFromWire(wire));
  ASSIGN_OR_RETURN(
      info.profile.work,
      WorkProfileFromWire("register.profile.costs", wire.profile().costs()));
  return info;
}

}  // namespace hybridserve
