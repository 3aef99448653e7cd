#ifndef HYBRIDSERVE_COMMON_GRPC_LOG_H_
#define HYBRIDSERVE_COMMON_GRPC_LOG_H_

namespace hybridserve {

// What gRPC logs (errors only, unless GRPC_VERBOSITY says more) goes through
// glog from now on, and so has the log's format. Of the whole process; call
// before gRPC is used.
void LogGrpcThroughGlog();

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_GRPC_LOG_H_
