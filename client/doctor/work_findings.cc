#include "absl/strings/str_cat.h"
#include "client/doctor/findings.h"
#include "common/size.h"

namespace hybridserve {
namespace {

constexpr int64_t kLittleDisk = int64_t{1} << 30;
constexpr int64_t kNoDisk = int64_t{16} << 20;

Finding Make(absl::string_view check, Severity severity, std::string what,
             std::string advice = "") {
  return {std::string{check}, severity, std::move(what), std::move(advice)};
}

Finding Disk(const DiskFacts& disk) {
  constexpr absl::string_view kCheck = "disk";
  if (!disk.status.ok()) {
    return Make(kCheck, Severity::kProblem,
                absl::StrCat(disk.folder, ": ", disk.status.message()),
                "name an --output_file in a folder that is there and that you "
                "may write to");
  }
  std::string what =
      absl::StrCat(FormatSize(disk.free_bytes), " free in ", disk.folder);
  if (disk.free_bytes >= kLittleDisk) {
    return Make(kCheck, Severity::kOk, std::move(what));
  }
  return Make(
      kCheck,
      disk.free_bytes < kNoDisk ? Severity::kProblem : Severity::kWarning,
      std::move(what),
      "free some: batch writes each result and keeps the job's state "
      "there");
}

Finding Model(const ModelFacts& model) {
  constexpr absl::string_view kCheck = "model";
  if (!model.status.ok()) {
    const bool does_not_fit = absl::IsResourceExhausted(model.status);
    return Make(kCheck, Severity::kProblem,
                absl::StrCat(model.folder, ": ", model.status.message()),
                does_not_fit
                    ? "give the amount that it names, a smaller --max_running "
                      "or --host_memory, or more memory (docs/sizing.md)"
                    : "mend the file or flag that it names");
  }
  std::string what = absl::StrCat(
      model.name, " fits: ", FormatSize(model.host_bytes),
      model.pins_host_memory ? " of host memory, pinned" : " of host memory");
  if (model.device_bytes > 0) {
    absl::StrAppend(&what, ", ", FormatSize(model.device_bytes),
                    " on the device");
  }
  absl::StrAppend(&what, "; ", model.dtype, ", cache for ", model.cache_tokens,
                  " tokens as keys and values; on ", model.device);
  return Make(kCheck, Severity::kOk, std::move(what));
}

std::string ServerAdvice(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnauthenticated:
      return "give --api_key_file with a key that the scheduler knows";
    case absl::StatusCode::kPermissionDenied:
      return "give a key whose roles allow it (docs/security.md)";
    case absl::StatusCode::kInvalidArgument:
      return "mend the flag that it names";
    case absl::StatusCode::kUnimplemented:
      return "that is another program: give the scheduler's --listen address";
    default:
      return "see that a scheduler listens there (`listening HOST:PORT`), that "
             "no firewall is between, and that --tls_ca is given if and only "
             "if it has a --tls_certificate";
  }
}

Finding Server(const ServerFacts& server) {
  constexpr absl::string_view kCheck = "server";
  if (!server.status.ok()) {
    return Make(kCheck, Severity::kProblem,
                absl::StrCat(server.address, ": ", server.status.message()),
                ServerAdvice(server.status));
  }
  if (server.serving) {
    return Make(kCheck, Severity::kOk,
                absl::StrCat(server.address, " is serving"));
  }
  return Make(kCheck, Severity::kProblem,
              absl::StrCat(server.address, " answers, but is not serving"),
              absl::StrCat("wait for a worker to load, or start one with "
                           "--scheduler=",
                           server.address));
}

}  // namespace

std::vector<Finding> DiagnoseWork(const DoctorFacts& facts) {
  std::vector<Finding> findings = {Disk(facts.disk)};
  if (facts.model.has_value()) findings.push_back(Model(*facts.model));
  if (facts.server.has_value()) findings.push_back(Server(*facts.server));
  return findings;
}

}  // namespace hybridserve
