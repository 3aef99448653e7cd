#include "client/openai/response_json.h"

#include <cmath>

namespace hybridserve::openai {
namespace {

using nlohmann::ordered_json;

// JSON has no infinity; OpenAI says this.
constexpr double kLeastLogProb = -9999.0;
constexpr char kReplacement[] = "\xef\xbf\xbd";  // U+FFFD

double Finite(double log_prob) {
  return std::isfinite(log_prob) ? log_prob : kLeastLogProb;
}

ordered_json LogProb(const TokenLogProb& token) {
  if (!token.log_prob.has_value()) return nullptr;
  return Finite(*token.log_prob);
}

// By text: of the likeliest, and of the token that is there. Of tokens with the
// same text the likeliest counts.
ordered_json TopLogProbs(const TokenLogProb& token) {
  if (!token.log_prob.has_value()) return nullptr;
  ordered_json tops = ordered_json::object();
  for (const LikelyToken& top : token.top) {
    if (!tops.contains(top.token)) tops[top.token] = Finite(top.log_prob);
  }
  if (!tops.contains(token.token)) tops[token.token] = LogProb(token);
  return tops;
}

ordered_json CompletionLogProbs(const ResponseHead& head,
                                absl::Span<const TokenLogProb> log_probs) {
  ordered_json tokens = ordered_json::array();
  ordered_json chosen = ordered_json::array();
  ordered_json top = ordered_json::array();
  ordered_json offsets = ordered_json::array();
  for (const TokenLogProb& token : log_probs) {
    tokens.push_back(token.token);
    chosen.push_back(LogProb(token));
    top.push_back(TopLogProbs(token));
    offsets.push_back(token.text_offset);
  }
  return {{"tokens", std::move(tokens)},
          {"token_logprobs", std::move(chosen)},
          {"top_logprobs",
           head.top_log_probs ? std::move(top) : ordered_json(nullptr)},
          {"text_offset", std::move(offsets)}};
}

ordered_json ChatToken(const std::string& token, double log_prob) {
  ordered_json bytes = nullptr;
  // What is no character of its own has lost its bytes.
  if (token.find(kReplacement) == std::string::npos) {
    bytes = ordered_json::array();
    for (const char c : token) bytes.push_back(static_cast<unsigned char>(c));
  }
  return {{"token", token},
          {"logprob", Finite(log_prob)},
          {"bytes", std::move(bytes)}};
}

ordered_json ChatLogProbs(absl::Span<const TokenLogProb> log_probs) {
  ordered_json content = ordered_json::array();
  for (const TokenLogProb& token : log_probs) {
    ordered_json entry = ChatToken(token.token, token.log_prob.value_or(0));
    entry["top_logprobs"] = ordered_json::array();
    for (const LikelyToken& top : token.top) {
      entry["top_logprobs"].push_back(ChatToken(top.token, top.log_prob));
    }
    content.push_back(std::move(entry));
  }
  return {{"content", std::move(content)}};
}

ordered_json LogProbs(const ResponseHead& head, const ChoicePart& part) {
  if (!head.log_probs || (part.log_probs.empty() && part.opens)) return nullptr;
  return head.api == Api::kChat ? ChatLogProbs(part.log_probs)
                                : CompletionLogProbs(head, part.log_probs);
}

ordered_json FinishReason(const ChoicePart& part) {
  if (!part.finish_reason.has_value()) return nullptr;
  return *part.finish_reason;
}

ordered_json Choice(const ResponseHead& head, const ChoicePart& part,
                    bool of_stream) {
  ordered_json choice;
  choice["index"] = part.index;
  if (head.api == Api::kCompletions) {
    choice["text"] = part.text;
  } else if (!of_stream) {
    choice["message"] = {{"role", "assistant"}, {"content", part.text}};
  } else if (part.opens) {
    choice["delta"] = {{"role", "assistant"}, {"content", part.text}};
  } else if (part.text.empty() && part.log_probs.empty()) {
    choice["delta"] = ordered_json::object();
  } else {
    choice["delta"] = {{"content", part.text}};
  }
  choice["logprobs"] = LogProbs(head, part);
  choice["finish_reason"] = FinishReason(part);
  return choice;
}

ordered_json Body(const ResponseHead& head, bool of_stream) {
  const char* object = "text_completion";
  if (head.api == Api::kChat) {
    object = of_stream ? "chat.completion.chunk" : "chat.completion";
  }
  return {{"id", head.id},
          {"object", object},
          {"created", head.created},
          {"model", head.model}};
}

ordered_json UsageJson(const UsageTotals& usage) {
  return {{"prompt_tokens", usage.prompt_tokens},
          {"completion_tokens", usage.completion_tokens},
          {"total_tokens", usage.prompt_tokens + usage.completion_tokens}};
}

}  // namespace

ordered_json WholeBody(const ResponseHead& head,
                       absl::Span<const ChoicePart> choices,
                       const UsageTotals& usage) {
  ordered_json body = Body(head, false);
  body["choices"] = ordered_json::array();
  for (const ChoicePart& choice : choices) {
    body["choices"].push_back(Choice(head, choice, false));
  }
  body["usage"] = UsageJson(usage);
  return body;
}

ordered_json ChunkBody(const ResponseHead& head, const ChoicePart& part) {
  ordered_json body = Body(head, true);
  body["choices"] = ordered_json::array({Choice(head, part, true)});
  if (head.usage_of_stream) body["usage"] = nullptr;
  return body;
}

ordered_json UsageChunkBody(const ResponseHead& head,
                            const UsageTotals& usage) {
  ordered_json body = Body(head, true);
  body["choices"] = ordered_json::array();
  body["usage"] = UsageJson(usage);
  return body;
}

std::string ToText(const ordered_json& body) {
  return body.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace hybridserve::openai
