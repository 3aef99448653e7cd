#include "client/bench/bench_command.h"

#include <iostream>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "client/bench/bench_charts.h"
#include "client/bench/bench_json.h"
#include "client/bench/bench_summary.h"
#include "client/bench/bench_table.h"
#include "client/bench/machine_info.h"
#include "client/chart/figure.h"
#include "client/progress_bar.h"
#include "client/text_file.h"
#include "common/grpc_status.h"
#include "common/status_macros.h"
#include "grpcpp/client_context.h"
#include "hybridserve/v1/control_service.grpc.pb.h"

namespace hybridserve {
absl::Status RunBench(const BenchCommandOptions& options,
                      const OpenPolicy& open, std::ostream& out) {
  ASSIGN_OR_RETURN(
      const std::vector<BenchResult> results,
      RunBenchPasses(options.bench, open, std::cerr, StderrIsTerminal()));
  std::vector<BenchSummary> summaries;
  summaries.reserve(results.size());
  for (const BenchResult& result : results) {
    summaries.push_back(Summarize(result));
  }
  const MachineInfo machine =
      DescribeMachine(results.back().passes.back().worker);
  const nlohmann::ordered_json json = BenchToJson(machine, summaries);
  if (options.format == OutputFormat::kJson) {
    out << json.dump() << std::endl;
  } else {
    out << BenchToTable(machine, summaries) << std::flush;
  }
  RETURN_IF_ERROR(WriteTextFile(options.json_file, json.dump(2) + "\n"));
  return WriteTextFile(options.svg_file,
                       ToSvg(BenchFigure(machine, summaries)));
}

absl::Status RunBenchOnServer(BenchCommandOptions options,
                              std::shared_ptr<grpc::Channel> channel,
                              std::ostream& out) {
  const auto stub = v1::ControlService::NewStub(channel);
  grpc::ClientContext context;
  v1::GetServerInfoResponse info;
  RETURN_IF_ERROR(FromGrpcStatus(
      stub->GetServerInfo(&context, v1::GetServerInfoRequest(), &info)));
  BenchPolicy policy = {.name = info.policy()};
  if (info.has_act_ratio()) policy.act_ratio = absl::StrCat(info.act_ratio());
  options.bench.policies = {std::move(policy)};
  return RunBench(
      options,
      [&](const BenchPolicy&) { return OpenedServer{.channel = channel}; },
      out);
}

}  // namespace hybridserve
