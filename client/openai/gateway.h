#ifndef HYBRIDSERVE_CLIENT_OPENAI_GATEWAY_H_
#define HYBRIDSERVE_CLIENT_OPENAI_GATEWAY_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/openai/api_error.h"
#include "client/openai/call_metadata.h"
#include "client/openai/chat_templates.h"
#include "client/openai/completion_request.h"
#include "client/openai/completion_run.h"
#include "client/openai/gateway_metrics.h"
#include "client/openai/generation_fields.h"
#include "client/openai/http/http_message.h"
#include "client/openai/request_record.h"
#include "client/openai/response_json.h"
#include "client/openai/server_health.h"
#include "grpcpp/channel.h"
#include "hybridserve/v1/inference_service.grpc.pb.h"
#include "hybridserve/v1/model_service.grpc.pb.h"

namespace hybridserve::openai {

struct GatewayOptions {
  // Of a completion, from its arrival to its end.
  absl::Duration request_timeout = absl::InfiniteDuration();
  // A body's `user` is the tenant.
  bool tenant_from_user = false;
  bool log_requests = true;
  ChatTemplates chat_templates;
};

// OpenAI's endpoints in front of a server. Holds nothing of a request once it
// is over. Thread-safe.
class Gateway {
 public:
  Gateway(GatewayOptions options,
          const std::shared_ptr<grpc::Channel>& channel);

  // What an HTTP server needs. Outlived by this.
  std::vector<http::HttpRoute> Routes();

  // From now on nothing new is begun, and health says so.
  void Drain() { draining_ = true; }

  const ServerHealth& health() const { return health_; }
  const GatewayMetrics& metrics() const { return metrics_; }

 private:
  // A body as it is sent to the server.
  struct Work {
    GenerationFields fields;
    CompletionRun::Options run;
  };

  http::HttpReply Complete(Api api, const http::HttpRequest& request);
  absl::StatusOr<Work> Prepare(Api api, const http::HttpRequest& request,
                               CallMetadata metadata);
  absl::Status PrepareCompletion(const std::string& body, Work& work);
  absl::Status PrepareChat(const std::string& body, Work& work);
  absl::StatusOr<v1::Model> FindModel(const CallMetadata& metadata,
                                      absl::Time deadline, std::string name);
  absl::StatusOr<std::string> PromptText(const Prompt& prompt,
                                         const Work& work);
  http::HttpReply Run(Work work, const http::HttpRequest& request,
                      const std::shared_ptr<RequestRecord>& record);

  http::HttpReply ListModels(const http::HttpRequest& request);
  http::HttpReply GetModel(const http::HttpRequest& request);
  http::HttpReply Health();

  const GatewayOptions options_;
  const int64_t start_seconds_;  // Since the epoch.
  const std::unique_ptr<v1::InferenceService::Stub> inference_;
  const std::unique_ptr<v1::ModelService::Stub> models_;
  const ServerHealth health_;
  GatewayMetrics metrics_;
  std::atomic<bool> draining_ = false;
};

}  // namespace hybridserve::openai

#endif  // HYBRIDSERVE_CLIENT_OPENAI_GATEWAY_H_
