#ifndef HYBRIDSERVE_SCHEDULER_TOKENIZER_STREAMING_DECODER_H_
#define HYBRIDSERVE_SCHEDULER_TOKENIZER_STREAMING_DECODER_H_

#include <cstdint>
#include <string>

#include "scheduler/tokenizer/tokenizer.h"

namespace hybridserve {

// Decodes tokens as they come. What Push() and Flush() return, put together,
// is Tokenizer::Decode() of all ids, but for a first space that a whole text
// would not have: here it stands between a prompt and what follows. Each bit
// alone is valid UTF-8, because
// the bytes of a character that is not complete yet (at most 3) are held back.
//
// Thread-compatible.
class StreamingDecoder {
 public:
  // `tokenizer` must outlive the decoder.
  StreamingDecoder(const Tokenizer& tokenizer, bool skip_special_tokens)
      : tokenizer_(tokenizer), skip_special_tokens_(skip_special_tokens) {}

  // The text that `id` completes, often empty.
  std::string Push(int32_t id);

  // U+FFFD if the ids end inside a character, otherwise nothing. The decoder
  // is then as new.
  std::string Flush();

 private:
  const Tokenizer& tokenizer_;
  const bool skip_special_tokens_;
  std::string tail_;  // The beginning of a character.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_TOKENIZER_STREAMING_DECODER_H_
