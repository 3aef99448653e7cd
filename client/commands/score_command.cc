#include "client/commands/score_command.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/grpc_status.h"
#include "common/status_macros.h"
#include "grpcpp/client_context.h"
#include "hybridserve/v1/inference_service.grpc.pb.h"
#include "hybridserve/v1/model_service.grpc.pb.h"
#include "nlohmann/json.hpp"

namespace hybridserve {
namespace {

constexpr int64_t kMaxTextBytes = 16 << 20;
constexpr int kWindowsInFlight = 64;

absl::StatusOr<std::string> ReadText(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  if (!stream || !(text << stream.rdbuf()) || text.str().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--input: cannot read any text from ", path));
  }
  if (static_cast<int64_t>(text.str().size()) > kMaxTextBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("--input: ", path, " has more than 16 MiB"));
  }
  return text.str();
}

absl::StatusOr<v1::Model> GetModel(const std::string& name,
                                   std::shared_ptr<grpc::Channel> channel) {
  const auto stub = v1::ModelService::NewStub(std::move(channel));
  grpc::ClientContext context;
  v1::GetModelRequest request;
  request.set_name(name);
  v1::GetModelResponse response;
  RETURN_IF_ERROR(FromGrpcStatus(stub->GetModel(&context, request, &response)));
  return response.model();
}

absl::StatusOr<std::vector<uint32_t>> Tokenize(v1::InferenceService::Stub& stub,
                                               const std::string& model,
                                               const std::string& text) {
  grpc::ClientContext context;
  v1::TokenizeRequest request;
  request.set_model(model);
  request.set_text(text);
  request.set_add_special_tokens(false);
  v1::TokenizeResponse response;
  RETURN_IF_ERROR(FromGrpcStatus(stub.Tokenize(&context, request, &response)));
  return std::vector<uint32_t>(response.token_ids().begin(),
                               response.token_ids().end());
}

absl::StatusOr<uint32_t> Prefix(const v1::Model& model) {
  if (model.has_bos_token_id()) return model.bos_token_id();
  if (model.eos_token_ids_size() > 0) return model.eos_token_ids(0);
  return absl::FailedPreconditionError(
      "the model's config.json names neither bos_token_id nor eos_token_id");
}

absl::StatusOr<int64_t> WindowTokens(const ScoreCommandOptions& options,
                                     const v1::Model& model) {
  const int64_t limit = model.limits().max_sequence_tokens();
  const int64_t window =
      options.window.value_or(std::min<int64_t>(limit, 2048) - 1);
  if (window < 1 || window > limit - 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--window: must be in [1, ", limit - 1, "] for this model"));
  }
  return window;
}

// A text's tokens, in their order.
struct TextScores {
  std::vector<float> log_probs;
  std::vector<uint32_t> top_tokens;  // The likeliest in their places.
};

// Sends all windows, some at a time.
class WindowScorer {
 public:
  WindowScorer(v1::InferenceService::Stub& stub, std::string model)
      : stub_(stub), model_(std::move(model)) {}

  absl::StatusOr<TextScores> Score(const std::vector<uint32_t>& tokens,
                                   int64_t window, uint32_t prefix) {
    const int64_t count = static_cast<int64_t>(tokens.size());
    std::vector<std::unique_ptr<Call>> calls;
    for (int64_t first = 0; first < count; first += window) {
      auto call = std::make_unique<Call>();
      call->request.set_model(model_);
      auto& ids = *call->request.mutable_token_ids()->mutable_ids();
      ids.Add(prefix);
      ids.Add(tokens.begin() + first,
              tokens.begin() + std::min(count, first + window));
      Start(*call);
      calls.push_back(std::move(call));
    }
    WaitForAtMost(0);
    TextScores scores;
    for (const std::unique_ptr<Call>& call : calls) {
      RETURN_IF_ERROR(FromGrpcStatus(call->status));
      const v1::ScoreResponse& response = call->response;
      scores.log_probs.insert(scores.log_probs.end(),
                              response.log_probs().begin(),
                              response.log_probs().end());
      scores.top_tokens.insert(scores.top_tokens.end(),
                               response.top_token_ids().begin(),
                               response.top_token_ids().end());
    }
    return scores;
  }

 private:
  struct Call {
    grpc::ClientContext context;
    v1::ScoreRequest request;
    v1::ScoreResponse response;
    grpc::Status status;
  };

  void Start(Call& call) {
    WaitForAtMost(kWindowsInFlight - 1);
    {
      absl::MutexLock lock(&mutex_);
      ++in_flight_;
    }
    stub_.async()->Score(&call.context, &call.request, &call.response,
                         [this, &call](grpc::Status status) {
                           absl::MutexLock lock(&mutex_);
                           call.status = std::move(status);
                           --in_flight_;
                         });
  }

  void WaitForAtMost(int count) {
    absl::MutexLock lock(&mutex_);
    const auto few = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return in_flight_ <= count;
    };
    mutex_.Await(absl::Condition(&few));
  }

  v1::InferenceService::Stub& stub_;
  const std::string model_;
  absl::Mutex mutex_;
  int in_flight_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace

absl::Status RunScore(const ScoreCommandOptions& options,
                      std::shared_ptr<grpc::Channel> channel,
                      std::ostream& out) {
  ASSIGN_OR_RETURN(const std::string text, ReadText(options.input));
  ASSIGN_OR_RETURN(const v1::Model model, GetModel(options.model, channel));
  ASSIGN_OR_RETURN(const uint32_t prefix, Prefix(model));
  ASSIGN_OR_RETURN(const int64_t window, WindowTokens(options, model));
  const auto stub = v1::InferenceService::NewStub(std::move(channel));
  ASSIGN_OR_RETURN(const std::vector<uint32_t> tokens,
                   Tokenize(*stub, model.name(), text));
  if (tokens.empty()) return absl::InvalidArgumentError("--input: no tokens");
  ASSIGN_OR_RETURN(
      const TextScores scores,
      WindowScorer(*stub, model.name()).Score(tokens, window, prefix));
  const std::vector<float>& log_probs = scores.log_probs;
  const double sum = std::accumulate(log_probs.begin(), log_probs.end(), 0.0);
  const double perplexity =
      std::exp(-sum / static_cast<double>(log_probs.size()));
  if (options.format == OutputFormat::kJson) {
    nlohmann::ordered_json json;
    json["tokens"] = tokens;
    json["log_probs"] = log_probs;
    json["top_tokens"] = scores.top_tokens;
    json["perplexity"] = perplexity;
    out << json.dump() << std::endl;
  } else {
    out << "perplexity " << perplexity << " (" << tokens.size()
        << " tokens in windows of " << window << ")" << std::endl;
  }
  return absl::OkStatus();
}

}  // namespace hybridserve
