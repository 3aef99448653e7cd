#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "glog/logging.h"
#include "scheduler/tokenizer/stop_matcher.h"
#include "scheduler/tokenizer/streaming_decoder.h"
#include "scheduler/tokenizer/tokenizer.h"
#include "scheduler/tokenizer/utf8.h"

// The input is up to six files and a text, with bytes of value 0xFE between
// them (never part of UTF-8): text, tokenizer.json, vocab.json, merges.txt,
// tokenizer_config.json, special_tokens_map.json, added_tokens.json. Whatever
// they are, nothing crashes; and if they make a tokenizer, then decoding is
// valid UTF-8 and streaming gives the same.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> parts = absl::StrSplit(input, '\xFE');
  parts.resize(7);
  const hybridserve::TokenizerFiles files = {
      .tokenizer_json = parts[1],
      .vocab_json = parts[2],
      .merges_txt = parts[3],
      .added_tokens_json = parts[6],
      .tokenizer_config_json = parts[4],
      .special_tokens_map_json = parts[5],
  };
  const auto tokenizer = hybridserve::Tokenizer::Create(files);
  if (!tokenizer.ok()) return 0;
  const auto ids = (*tokenizer)->Encode(parts[0], true);
  if (!ids.ok()) return 0;

  const std::string whole = (*tokenizer)->Decode(*ids, false);
  CHECK(!hybridserve::FindInvalidUtf8(whole).has_value());
  hybridserve::StreamingDecoder decoder(**tokenizer, false);
  auto matcher = hybridserve::StopMatcher::Create({"\n\n", "the", "\xC3\xA9"});
  CHECK(matcher.ok()) << matcher.status();
  std::string streamed;
  std::string shown;
  for (const int32_t id : *ids) {
    const std::string delta = decoder.Push(id);
    CHECK(!hybridserve::FindInvalidUtf8(delta).has_value());
    streamed += delta;
    const auto result = matcher->Push(delta);
    CHECK(!hybridserve::FindInvalidUtf8(result.text).has_value());
    shown += result.text;
  }
  streamed += decoder.Flush();
  CHECK(streamed == whole);
  CHECK(whole.compare(0, shown.size(), shown) == 0);
  return 0;
}
