#include "scheduler/rpc/output_proto.h"

#include "glog/logging.h"

namespace hybridserve {

v1::FinishReason FinishReasonToProto(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStop:
      return v1::FINISH_REASON_STOP;
    case FinishReason::kLength:
      return v1::FINISH_REASON_LENGTH;
    case FinishReason::kCancelled:
      return v1::FINISH_REASON_CANCELLED;
  }
  LOG(FATAL) << "no such reason: " << static_cast<int>(reason);
}

v1::Usage UsageToProto(const Usage& usage) {
  v1::Usage proto;
  proto.set_prompt_tokens(static_cast<uint32_t>(usage.prompt_tokens));
  proto.set_completion_tokens(static_cast<uint32_t>(usage.completion_tokens));
  return proto;
}

v1::TopLogProbs TopLogProbsToProto(absl::Span<const TopToken> top) {
  v1::TopLogProbs proto;
  for (const TopToken& token : top) {
    proto.add_token_ids(static_cast<uint32_t>(token.token));
    proto.add_log_probs(token.log_prob);
  }
  return proto;
}

std::optional<v1::StopMatch> StopMatchToProto(const OutputEnd& end) {
  v1::StopMatch match;
  if (end.stop_text.has_value()) {
    match.set_text(*end.stop_text);
  } else if (end.stop_token_id.has_value()) {
    match.set_token_id(static_cast<uint32_t>(*end.stop_token_id));
  } else {
    return std::nullopt;
  }
  return match;
}

}  // namespace hybridserve
