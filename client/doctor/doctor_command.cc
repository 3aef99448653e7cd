#include "client/doctor/doctor_command.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "client/doctor/findings.h"
#include "client/doctor/host_facts.h"
#include "client/doctor/system_tree.h"
#include "nlohmann/json.hpp"
#include "worker/device/cpu_device.h"
#include "worker/device/device_factory.h"

namespace hybridserve {
namespace {

using nlohmann::ordered_json;

constexpr absl::Duration kServerDeadline = absl::Seconds(5);

absl::string_view Name(Severity severity) {
  switch (severity) {
    case Severity::kOk:
      return "ok";
    case Severity::kWarning:
      return "warning";
    case Severity::kProblem:
      return "problem";
  }
  return "";
}

int64_t Count(const std::vector<Finding>& findings, Severity severity) {
  return std::count_if(
      findings.begin(), findings.end(),
      [&](const Finding& finding) { return finding.severity == severity; });
}

// A file's or a server's words may hold anything.
std::string OneLine(const std::string& text) {
  return absl::StrReplaceAll(text, {{"\n", " "}, {"\r", ""}});
}

std::vector<LinkFacts> MeasureLinks(const CudaFacts& cuda) {
  std::vector<LinkFacts> links;
  // Two memories, so that bytes are copied.
  const auto cpu = CreateCpuDevice({.device_memory_bytes = int64_t{1} << 30});
  if (cpu.ok()) links.push_back(MeasureLink("host memory", **cpu));
  if (!cuda.device.ok()) return links;
  const auto gpu = CreateDevice("cuda", {});
  if (gpu.ok()) links.push_back(MeasureLink(cuda.device_description, **gpu));
  return links;
}

DoctorFacts ReadFacts(const DoctorOptions& options) {
  DoctorFacts facts = {.device = options.worker.device,
                       .threads = options.worker.threads,
                       .host = ReadHostFacts(SystemTree()),
                       .cpu = ReadCpuPath(),
                       .cuda = ReadCudaFacts(),
                       .disk = ReadDiskFacts(options.output_file)};
  facts.links = MeasureLinks(facts.cuda);
  if (!options.worker.model_dir.empty()) {
    facts.model = ReadModelFacts(options.worker);
  }
  if (!options.server.empty()) {
    facts.server =
        ReadServerFacts(options.server, options.channel, kServerDeadline);
  }
  return facts;
}

}  // namespace

std::string FindingsToText(const std::vector<Finding>& findings) {
  std::string out;
  for (const Finding& finding : findings) {
    absl::StrAppendFormat(&out, "%-8s %s: %s\n", Name(finding.severity),
                          finding.check, OneLine(finding.what));
    if (!finding.advice.empty()) {
      absl::StrAppend(&out, "         -> ", OneLine(finding.advice), "\n");
    }
  }
  absl::StrAppend(&out, Count(findings, Severity::kProblem), " problems, ",
                  Count(findings, Severity::kWarning), " warnings\n");
  return out;
}

std::string FindingsToJson(const std::vector<Finding>& findings) {
  ordered_json list = ordered_json::array();
  for (const Finding& finding : findings) {
    list.push_back({{"check", finding.check},
                    {"severity", std::string{Name(finding.severity)}},
                    {"what", finding.what},
                    {"advice", finding.advice}});
  }
  // Paths need not be UTF-8.
  return ordered_json{{"findings", list},
                      {"problems", Count(findings, Severity::kProblem)},
                      {"warnings", Count(findings, Severity::kWarning)}}
      .dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

bool RunDoctor(const DoctorOptions& options, std::ostream& out) {
  const std::vector<Finding> findings = Diagnose(ReadFacts(options));
  if (options.format == OutputFormat::kJson) {
    out << FindingsToJson(findings) << std::endl;
  } else {
    out << FindingsToText(findings) << std::flush;
  }
  return Worst(findings) != Severity::kProblem;
}

}  // namespace hybridserve
