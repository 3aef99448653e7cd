#ifndef HYBRIDSERVE_CLIENT_DOCTOR_DOCTOR_COMMAND_H_
#define HYBRIDSERVE_CLIENT_DOCTOR_DOCTOR_COMMAND_H_

#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/commands/command.h"
#include "client/doctor/finding.h"
#include "grpcpp/channel.h"
#include "worker/worker_options.h"

namespace hybridserve {

struct DoctorOptions {
  OutputFormat format = OutputFormat::kText;
  WorkerOptions worker;     // Without a model_dir no model is looked at.
  std::string output_file;  // Where output would go; empty: here.
  std::string server;       // Empty: no server is looked at.
  // To the server, or why there is none.
  absl::StatusOr<std::shared_ptr<grpc::Channel>> channel = nullptr;
};

// `hybridserve doctor`: looks at the machine and at what was named, and prints
// what was found and what to do about it. True if nothing is a problem.
bool RunDoctor(const DoctorOptions& options, std::ostream& out);

// A line for each finding, and one for what to do where that is not empty.
std::string FindingsToText(const std::vector<Finding>& findings);

// {"findings":[{"check","severity","what","advice"}],"problems","warnings"} on
// one line; severity is ok, warning or problem.
std::string FindingsToJson(const std::vector<Finding>& findings);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_DOCTOR_DOCTOR_COMMAND_H_
