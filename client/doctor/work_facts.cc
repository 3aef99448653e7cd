#include "client/doctor/work_facts.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/dtype.h"
#include "common/grpc_status.h"
#include "common/status_macros.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpcpp/client_context.h"
#include "worker/model/model_folder.h"
#include "worker/model_setup.h"

namespace hybridserve {
namespace {

absl::Status Plan(const WorkerOptions& options, ModelFacts& facts) {
  ASSIGN_OR_RETURN(std::unique_ptr<Device> device, OpenWorkerDevice(options));
  facts.device = device->info().description;
  facts.pins_host_memory = device->info().backend == "cuda";
  ASSIGN_OR_RETURN(const PlannedModel model,
                   PlanModel(options, std::move(device)));
  const MemoryPlan& memory = model.resources->memory;
  facts.dtype = absl::StrCat(Name(model.resources->plan.dtype));
  facts.host_bytes = model.host_bytes;
  facts.device_bytes = memory.device_bytes();
  facts.cache_tokens =
      (int64_t{memory.host_half_slots} + memory.device_half_slots) / 2 *
      options.block_tokens;
  return absl::OkStatus();
}

}  // namespace

ModelFacts ReadModelFacts(const WorkerOptions& options) {
  ModelFacts facts = {.folder = options.model_dir,
                      .name = options.model_name.empty()
                                  ? ModelFolderName(options.model_dir)
                                  : options.model_name};
  facts.status = Plan(options, facts);
  return facts;
}

DiskFacts ReadDiskFacts(const std::string& output_file) {
  std::filesystem::path folder =
      std::filesystem::path(output_file).parent_path();
  if (folder.empty()) folder = ".";
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::absolute(folder, error);
  DiskFacts facts = {.folder =
                         (error ? folder : whole.lexically_normal()).string()};
  const std::filesystem::space_info space =
      std::filesystem::space(folder, error);
  if (error) {
    facts.status = absl::NotFoundError(error.message());
  } else if (access(folder.c_str(), W_OK | X_OK) != 0) {
    facts.status = absl::PermissionDeniedError(std::strerror(errno));
  }
  facts.free_bytes = error ? 0 : static_cast<int64_t>(space.available);
  return facts;
}

ServerFacts ReadServerFacts(
    const std::string& address,
    const absl::StatusOr<std::shared_ptr<grpc::Channel>>& channel,
    absl::Duration deadline) {
  ServerFacts facts = {.address = address, .status = channel.status()};
  if (!channel.ok()) return facts;
  const auto stub = grpc::health::v1::Health::NewStub(*channel);
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + deadline));
  grpc::health::v1::HealthCheckResponse response;
  facts.status = FromGrpcStatus(
      stub->Check(&context, grpc::health::v1::HealthCheckRequest(), &response));
  facts.serving =
      response.status() == grpc::health::v1::HealthCheckResponse::SERVING;
  return facts;
}

}  // namespace hybridserve
