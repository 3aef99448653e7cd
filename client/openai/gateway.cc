#include "client/openai/gateway.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "client/openai/chat_request.h"
#include "client/openai/choice_plan.h"
#include "client/openai/completion_request.h"
#include "client/openai/prompt_ids.h"
#include "client/openai/server_sent_event.h"
#include "client/openai/token_texts.h"
#include "client/openai/unsent_fields.h"
#include "common/grpc_status.h"
#include "common/status_details.h"
#include "common/status_macros.h"
#include "grpcpp/client_context.h"
#include "nlohmann/json.hpp"

namespace hybridserve::openai {
namespace {

using http::HttpReply;
using http::HttpRequest;
using nlohmann::ordered_json;

constexpr char kRequestIdHeader[] = "x-request-id";
constexpr char kModelsPath[] = "/v1/models/";
// Of what needs no worker.
constexpr absl::Duration kShortTimeout = absl::Seconds(10);
constexpr absl::Duration kHealthTimeout = absl::Seconds(2);
// nginx's, for a client that closed the connection.
constexpr int kClientGone = 499;

absl::string_view PromptField(Api api) {
  return api == Api::kChat ? "messages" : "prompt";
}

HttpReply ErrorReply(const ApiError& error) {
  HttpReply reply{.status = error.http_status, .body = ToBody(error)};
  if (error.http_status == 401) {
    reply.headers.emplace_back("WWW-Authenticate", "Bearer");
  }
  if (error.retry_after.has_value()) {
    reply.headers.emplace_back("Retry-After", absl::StrCat(*error.retry_after));
  }
  if (!error.retry) reply.headers.emplace_back("x-should-retry", "false");
  return reply;
}

absl::StatusOr<CallMetadata> MetadataOf(const HttpRequest& request) {
  const std::string authorization = request.header("Authorization");
  const std::string request_id = request.header("X-Request-Id");
  const std::string traceparent = request.header("traceparent");
  return MakeCallMetadata({.authorization = authorization,
                           .request_id = request_id,
                           .traceparent = traceparent});
}

ordered_json ModelJson(const v1::Model& model, int64_t created) {
  return {{"id", model.name()},
          {"object", "model"},
          {"created", created},
          {"owned_by", "hybridserve"},
          {"max_model_len", model.limits().max_sequence_tokens()}};
}

}  // namespace

Gateway::Gateway(GatewayOptions options,
                 const std::shared_ptr<grpc::Channel>& channel)
    : options_(std::move(options)),
      start_seconds_(absl::ToUnixSeconds(absl::Now())),
      inference_(v1::InferenceService::NewStub(channel)),
      models_(v1::ModelService::NewStub(channel)),
      health_(channel) {}

std::vector<http::HttpRoute> Gateway::Routes() {
  return {
      {.method = "POST",
       .path = "/v1/completions",
       .handler =
           [this](const HttpRequest& request) {
             return Complete(Api::kCompletions, request);
           }},
      {.method = "POST",
       .path = "/v1/chat/completions",
       .handler =
           [this](const HttpRequest& request) {
             return Complete(Api::kChat, request);
           }},
      {.method = "GET",
       .path = "/v1/models",
       .handler =
           [this](const HttpRequest& request) { return ListModels(request); }},
      {.method = "GET",
       .path = kModelsPath,
       .handler =
           [this](const HttpRequest& request) { return GetModel(request); }},
      {.method = "GET",
       .path = "/health",
       .handler = [this](const HttpRequest&) { return Health(); }},
      {.method = "GET",
       .path = "/health/live",
       .handler = [](const HttpRequest&) {
         return HttpReply{.body = R"({"status":"alive"})"};
       }}};
}

HttpReply Gateway::Complete(Api api, const HttpRequest& request) {
  const absl::StatusOr<CallMetadata> metadata = MetadataOf(request);
  // A request that shows no good key has an id of its own.
  const std::string id = metadata.ok() ? metadata->request_id : MakeId("req-");
  const auto record = std::make_shared<RequestRecord>(
      metrics_, request.path, id, options_.log_requests);
  absl::StatusOr<Work> work = WithRetryDelay(
      absl::UnavailableError("the gateway is about to end"), absl::Seconds(1));
  if (!metadata.ok()) {
    work = metadata.status();
  } else if (!draining_) {
    work = Prepare(api, request, *metadata);
  }
  HttpReply reply;
  if (work.ok()) {
    reply = Run(*std::move(work), request, record);
  } else {
    const ApiError error = ToApiError(work.status(), PromptField(api));
    record->set_status(error.http_status);
    reply = ErrorReply(error);
  }
  reply.headers.emplace_back(kRequestIdHeader, id);
  return reply;
}

absl::StatusOr<Gateway::Work> Gateway::Prepare(Api api,
                                               const HttpRequest& request,
                                               CallMetadata metadata) {
  Work work;
  work.run.head = {.api = api,
                   .id = MakeId(api == Api::kChat ? "chatcmpl-" : "cmpl-"),
                   .created = absl::ToUnixSeconds(absl::Now())};
  work.run.metadata = std::move(metadata);
  work.run.deadline = absl::Now() + options_.request_timeout;
  RETURN_IF_ERROR(api == Api::kChat ? PrepareChat(request.body, work)
                                    : PrepareCompletion(request.body, work));
  work.run.head.model = work.fields.options.model;
  work.run.head.log_probs = work.fields.options.log_probs;
  work.run.head.usage_of_stream = work.fields.include_usage;
  work.run.choices_of_prompt = work.fields.choices_of_prompt;
  return work;
}

absl::Status Gateway::PrepareCompletion(const std::string& body, Work& work) {
  ASSIGN_OR_RETURN(CompletionRequest request, ParseCompletionRequest(body));
  work.fields = std::move(request.fields);
  work.run.head.top_log_probs = request.top_log_probs;
  if (options_.tenant_from_user && work.fields.user.has_value()) {
    ASSIGN_OR_RETURN(work.run.metadata.tenant, TenantOfUser(*work.fields.user));
  }
  ASSIGN_OR_RETURN(work.run.requests,
                   PlanChoices(work.fields, request.prompts));
  const bool only_prompts = request.echo && work.fields.options.max_tokens == 0;
  if (only_prompts) {
    ASSIGN_OR_RETURN(const v1::Model model,
                     FindModel(work.run.metadata, work.run.deadline,
                               work.fields.options.model));
    RETURN_IF_ERROR(CheckUnsentFields(work.fields.options, model));
  }
  for (Prompt& prompt : request.prompts) {
    if (!request.echo) break;
    ASSIGN_OR_RETURN(work.run.prefixes.emplace_back(),
                     PromptText(prompt, work));
    if (!only_prompts) continue;
    ASSIGN_OR_RETURN(
        const v1::TokenIds ids,
        PromptIds(*inference_, work.run.metadata, work.run.deadline,
                  work.fields.options.model, prompt));
    work.run.only_prompts.push_back(ids.ids_size());
    // Scoring needs them too.
    prompt = std::vector<int32_t>(ids.ids().begin(), ids.ids().end());
  }
  if (request.echo && request.log_probs) {
    work.run.scored_prompts = std::move(request.prompts);
  }
  return absl::OkStatus();
}

absl::Status Gateway::PrepareChat(const std::string& body, Work& work) {
  ASSIGN_OR_RETURN(ChatRequest request, ParseChatRequest(body));
  const ChatTemplate* chat_template =
      options_.chat_templates.Find(request.fields.options.model);
  if (chat_template == nullptr) {
    return InvalidFieldError(
        "model",
        "this gateway has no chat template for it (--chat_template); use "
        "/v1/completions");
  }
  work.fields = std::move(request.fields);
  work.run.head.top_log_probs = request.top_log_probs;
  if (options_.tenant_from_user && work.fields.user.has_value()) {
    ASSIGN_OR_RETURN(work.run.metadata.tenant, TenantOfUser(*work.fields.user));
  }
  ASSIGN_OR_RETURN(std::string prompt, chat_template->Render(request.messages));
  ASSIGN_OR_RETURN(work.run.requests,
                   PlanChoices(work.fields, {Prompt(std::move(prompt))}));
  return absl::OkStatus();
}

absl::StatusOr<std::string> Gateway::PromptText(const Prompt& prompt,
                                                const Work& work) {
  if (const auto* text = std::get_if<std::string>(&prompt)) return *text;
  return TokenTexts(*inference_, work.run.metadata, work.fields.options.model)
      .OfAll(std::get<std::vector<int32_t>>(prompt));
}

// One of these while it runs, whoever needs it last: the stream's writer, or
// whoever hears that the client is gone.
struct RunningCompletion {
  RunningCompletion(v1::InferenceService::Stub& stub,
                    CompletionRun::Options options)
      : run(stub, std::move(options)) {}

  CompletionRun run;
  std::atomic<bool> client_gone = false;
  std::unique_ptr<http::HangupWatcher::Watch> watch;  // Ends first.
};

HttpReply Gateway::Run(Work work, const HttpRequest& request,
                       const std::shared_ptr<RequestRecord>& record) {
  const absl::string_view prompt_field = PromptField(work.run.head.api);
  const auto running =
      std::make_shared<RunningCompletion>(*inference_, std::move(work.run));
  running->watch = request.watch_hangup([raw = running.get()] {
    raw->client_gone = true;
    raw->run.Cancel();
  });
  const auto end = [running, record](const absl::Status& status) {
    record->set_usage(running->run.usage());
    record->set_status(running->client_gone ? kClientGone
                       : status.ok()        ? 200
                                            : ToApiError(status).http_status);
  };
  absl::Status status = running->run.WaitUntilAccepted();
  if (status.ok() && work.fields.stream) {
    record->set_status(kClientGone);  // Unless somebody reads it.
    return {
        .headers = {{"Cache-Control", "no-cache"}, {"X-Accel-Buffering", "no"}},
        .content_type = kEventStream,
        .stream = [running, end](http::BodyWriter& writer) {
          end(running->run.Stream(writer));
        }};
  }
  if (status.ok()) {
    const absl::StatusOr<ordered_json> body = running->run.Collect();
    end(body.status());
    if (body.ok()) return {.body = ToText(*body)};
    status = body.status();
  } else {
    end(status);
  }
  return ErrorReply(ToApiError(status, prompt_field));
}

HttpReply Gateway::ListModels(const HttpRequest& request) {
  const absl::StatusOr<CallMetadata> metadata = MetadataOf(request);
  if (!metadata.ok()) return ErrorReply(ToApiError(metadata.status()));
  grpc::ClientContext context;
  metadata->AddTo(context);
  context.set_deadline(absl::ToChronoTime(absl::Now() + kShortTimeout));
  v1::ListModelsResponse response;
  const absl::Status status = FromGrpcStatus(
      models_->ListModels(&context, v1::ListModelsRequest(), &response));
  if (!status.ok()) return ErrorReply(ToApiError(status));
  ordered_json models = ordered_json::array();
  for (const v1::Model& model : response.models()) {
    models.push_back(ModelJson(model, start_seconds_));
  }
  return {.headers = {{kRequestIdHeader, metadata->request_id}},
          .body = ToText({{"object", "list"}, {"data", std::move(models)}})};
}

HttpReply Gateway::GetModel(const HttpRequest& request) {
  const absl::StatusOr<CallMetadata> metadata = MetadataOf(request);
  if (!metadata.ok()) return ErrorReply(ToApiError(metadata.status()));
  const absl::StatusOr<v1::Model> model =
      FindModel(*metadata, absl::InfiniteFuture(),
                request.path.substr(sizeof(kModelsPath) - 1));
  if (!model.ok()) return ErrorReply(ToApiError(model.status()));
  return {.headers = {{kRequestIdHeader, metadata->request_id}},
          .body = ToText(ModelJson(*model, start_seconds_))};
}

absl::StatusOr<v1::Model> Gateway::FindModel(const CallMetadata& metadata,
                                             absl::Time deadline,
                                             std::string name) {
  grpc::ClientContext context;
  metadata.AddTo(context);
  context.set_deadline(
      absl::ToChronoTime(std::min(deadline, absl::Now() + kShortTimeout)));
  v1::GetModelRequest request;
  request.set_name(std::move(name));
  v1::GetModelResponse response;
  RETURN_IF_ERROR(
      FromGrpcStatus(models_->GetModel(&context, request, &response)));
  return std::move(*response.mutable_model());
}

HttpReply Gateway::Health() {
  const absl::Status status =
      draining_ ? absl::UnavailableError("the gateway is about to end")
                : health_.Check(kHealthTimeout);
  if (!status.ok()) return ErrorReply(ToApiError(status));
  return {.body = R"({"status":"ok"})"};
}

}  // namespace hybridserve::openai
