#ifndef HYBRIDSERVE_CLIENT_OPENAI_RESPONSE_JSON_H_
#define HYBRIDSERVE_CLIENT_OPENAI_RESPONSE_JSON_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "nlohmann/json.hpp"

// Bodies of answers, whole ones and the chunks of streams.

namespace hybridserve::openai {

enum class Api { kCompletions, kChat };

// What all bodies of one answer have in common.
struct ResponseHead {
  Api api = Api::kCompletions;
  std::string id;
  int64_t created = 0;  // Seconds since the epoch.
  std::string model;
  bool log_probs = false;
  bool top_log_probs = false;    // Of the likeliest ones as well.
  bool usage_of_stream = false;  // stream_options.include_usage
};

// A likely token in the place of another.
struct LikelyToken {
  std::string token;
  double log_prob = 0;
};

// A token of the output, or of a prompt that is echoed.
struct TokenLogProb {
  std::string token;
  std::optional<double> log_prob = 0;  // None for a text's first token.
  int64_t text_offset = 0;             // In characters of the choice's text.
  std::vector<LikelyToken> top;        // The likeliest there, if asked for.
};

// A choice, or what a stream has more of it.
struct ChoicePart {
  int64_t index = 0;
  std::string text;
  std::vector<TokenLogProb> log_probs;
  std::optional<std::string> finish_reason;
  bool opens = false;  // A stream's first part, which says who speaks.
};

struct UsageTotals {
  int64_t prompt_tokens = 0;
  int64_t completion_tokens = 0;
};

nlohmann::ordered_json WholeBody(const ResponseHead& head,
                                 absl::Span<const ChoicePart> choices,
                                 const UsageTotals& usage);

nlohmann::ordered_json ChunkBody(const ResponseHead& head,
                                 const ChoicePart& part);

// The last chunk of a stream whose usage is asked for.
nlohmann::ordered_json UsageChunkBody(const ResponseHead& head,
                                      const UsageTotals& usage);

// On one line. Bytes that are no UTF-8 become U+FFFD.
std::string ToText(const nlohmann::ordered_json& body);

}  // namespace hybridserve::openai

#endif  // HYBRIDSERVE_CLIENT_OPENAI_RESPONSE_JSON_H_
