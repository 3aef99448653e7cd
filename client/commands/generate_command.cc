#include "client/commands/generate_command.h"

#include <atomic>
#include <string>
#include <vector>

#include "common/grpc_status.h"
#include "grpcpp/client_context.h"
#include "hybridserve/v1/inference_service.grpc.pb.h"
#include "nlohmann/json.hpp"

namespace hybridserve {
namespace {

using nlohmann::ordered_json;

// What the stream has brought so far.
struct Output {
  std::string text;
  std::vector<uint32_t> token_ids;
  std::vector<float> log_probs;
  std::vector<v1::TopLogProbs> top_log_probs;
  std::string finish_reason = "cancelled";  // Unless the server says other.
  v1::Usage usage;

  void Add(const v1::TokenOutput& tokens) {
    text += tokens.text_delta();
    token_ids.insert(token_ids.end(), tokens.token_ids().begin(),
                     tokens.token_ids().end());
    log_probs.insert(log_probs.end(), tokens.log_probs().begin(),
                     tokens.log_probs().end());
    top_log_probs.insert(top_log_probs.end(), tokens.top_log_probs().begin(),
                         tokens.top_log_probs().end());
  }
};

// A list a token: [{"token_id": ..., "log_prob": ...}, ...].
ordered_json TopJson(const std::vector<v1::TopLogProbs>& tops) {
  ordered_json places = ordered_json::array();
  for (const v1::TopLogProbs& top : tops) {
    ordered_json& place = places.emplace_back(ordered_json::array());
    for (int i = 0; i < top.token_ids_size(); ++i) {
      place.push_back(
          {{"token_id", top.token_ids(i)}, {"log_prob", top.log_probs(i)}});
    }
  }
  return places;
}

void PrintJson(const Output& output, const GenerationOptions& options,
               std::ostream& out) {
  ordered_json json;
  json["text"] = output.text;
  json["token_ids"] = output.token_ids;
  if (options.log_probs) json["log_probs"] = output.log_probs;
  if (options.top_log_probs > 0) {
    json["top_log_probs"] = TopJson(output.top_log_probs);
  }
  json["finish_reason"] = output.finish_reason;
  json["usage"] = {{"prompt_tokens", output.usage.prompt_tokens()},
                   {"completion_tokens", output.usage.completion_tokens()}};
  out << json.dump(-1, ' ', false, ordered_json::error_handler_t::replace)
      << std::endl;
}

// A line a token; the likeliest in its place are further columns.
void PrintLogProbs(const Output& output, const GenerationOptions& options,
                   std::ostream& out) {
  out << "token_id";
  if (options.log_probs) out << "\tlog_prob";
  if (options.top_log_probs > 0) out << "\tlikeliest";
  out << "\n";
  for (size_t i = 0; i < output.token_ids.size(); ++i) {
    out << output.token_ids[i];
    if (i < output.log_probs.size()) out << "\t" << output.log_probs[i];
    if (i < output.top_log_probs.size()) {
      const v1::TopLogProbs& top = output.top_log_probs[i];
      for (int k = 0; k < top.token_ids_size(); ++k) {
        out << "\t" << top.token_ids(k) << " " << top.log_probs(k);
      }
    }
    out << "\n";
  }
  out << std::flush;
}

}  // namespace

absl::Status RunGenerate(const GenerateCommandOptions& options,
                         std::shared_ptr<grpc::Channel> channel,
                         Interrupt& interrupt, std::ostream& out) {
  const bool as_text = options.format == OutputFormat::kText;
  const auto stub = v1::InferenceService::NewStub(std::move(channel));
  grpc::ClientContext context;
  std::atomic<bool> interrupted = false;
  Interrupt::Scope scope(interrupt, [&] {
    interrupted = true;
    context.TryCancel();
  });
  const auto reader =
      stub->GenerateStream(&context, ToStreamRequest(options.generation));
  Output output;
  v1::GenerateStreamResponse message;
  while (reader->Read(&message)) {
    if (message.has_token_output()) {
      output.Add(message.token_output());
      if (as_text) out << message.token_output().text_delta() << std::flush;
    } else if (message.has_finished()) {
      output.finish_reason = std::string{Name(message.finished().reason())};
    }
    if (message.has_usage()) output.usage = message.usage();
  }
  const grpc::Status status = reader->Finish();
  if (!status.ok() && !interrupted) return FromGrpcStatus(status);
  if (interrupted && output.usage.completion_tokens() == 0) {
    output.usage.set_completion_tokens(output.token_ids.size());
  }
  if (as_text) {
    out << std::endl;
    const GenerationOptions& asked = options.generation;
    if (asked.log_probs || asked.top_log_probs > 0) {
      PrintLogProbs(output, asked, out);
    }
  } else {
    PrintJson(output, options.generation, out);
  }
  return interrupted ? absl::CancelledError("interrupted") : absl::OkStatus();
}

}  // namespace hybridserve
