#include "scheduler/tokenizer/streaming_decoder.h"

#include "absl/strings/string_view.h"
#include "scheduler/tokenizer/utf8.h"

namespace hybridserve {

std::string StreamingDecoder::Push(int32_t id) {
  std::string delta;
  if (skip_special_tokens_ && tokenizer_.IsSpecial(id)) return delta;
  const absl::string_view bytes = tokenizer_.TokenBytes(id);
  tail_.append(bytes.data(), bytes.size());
  tail_.erase(0, AppendUtf8Lossy(tail_, delta));
  return delta;
}

std::string StreamingDecoder::Flush() {
  std::string delta = Utf8Lossy(tail_);
  tail_.clear();
  return delta;
}

}  // namespace hybridserve
