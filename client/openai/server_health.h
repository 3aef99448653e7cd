#ifndef HYBRIDSERVE_CLIENT_OPENAI_SERVER_HEALTH_H_
#define HYBRIDSERVE_CLIENT_OPENAI_SERVER_HEALTH_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpcpp/channel.h"

namespace hybridserve::openai {

// Whether the server serves, by the standard health service. Thread-safe.
class ServerHealth {
 public:
  explicit ServerHealth(const std::shared_ptr<grpc::Channel>& channel);

  // Asks it. Unavailable, with why, if it does not serve or does not answer in
  // time.
  absl::Status Check(absl::Duration timeout) const;

 private:
  const std::unique_ptr<grpc::health::v1::Health::Stub> stub_;
};

}  // namespace hybridserve::openai

#endif  // HYBRIDSERVE_CLIENT_OPENAI_SERVER_HEALTH_H_
