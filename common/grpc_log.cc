#include "common/grpc_log.h"

#include "glog/logging.h"
#include "grpc/support/log.h"

namespace hybridserve {
namespace {

void Log(gpr_log_func_args* args) {
  const google::LogSeverity severity = args->severity == GPR_LOG_SEVERITY_ERROR
                                           ? google::GLOG_ERROR
                                           : google::GLOG_INFO;
  google::LogMessage(args->file, args->line, severity).stream()
      << args->message;
}

}  // namespace

void LogGrpcThroughGlog() { gpr_set_log_function(&Log); }

}  // namespace hybridserve
