#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "glog/logging.h"
#include "scheduler/tokenizer/stop_matcher.h"
#include "scheduler/tokenizer/streaming_decoder.h"
#include "scheduler/tokenizer/testing/tiny_tokenizer.h"
#include "scheduler/tokenizer/tokenizer.h"
#include "scheduler/tokenizer/utf8.h"

namespace hybridserve {
namespace {

constexpr size_t kMaxStops = 4;

const Tokenizer& TinyTokenizer() {
  static const Tokenizer* const tokenizer = [] {
    auto made = Tokenizer::Create(TinyTokenizerFiles());
    CHECK(made.ok()) << made.status();
    return made->release();
  }();
  return *tokenizer;
}

// Takes so many bytes, or what there is.
absl::string_view Take(absl::string_view& input, size_t count) {
  const absl::string_view taken = input.substr(0, count);
  input.remove_prefix(taken.size());
  return taken;
}

// The next byte; 0 where there is none.
uint8_t TakeByte(absl::string_view& input) {
  const absl::string_view byte = Take(input, 1);
  return byte.empty() ? 0 : static_cast<uint8_t>(byte[0]);
}

std::vector<std::string> TakeStops(absl::string_view& input) {
  std::vector<std::string> stops;
  const size_t count = TakeByte(input) % (kMaxStops + 1);
  while (stops.size() < count && !input.empty()) {
    const size_t length = TakeByte(input) % 8;
    stops.emplace_back(Take(input, length));
  }
  return stops;
}

// 0xFF is an escape, for what is no single byte.
std::vector<int32_t> TakeIds(absl::string_view input) {
  std::vector<int32_t> ids;
  while (!input.empty()) {
    const uint8_t byte = TakeByte(input);
    if (byte != 0xFF || input.empty()) {
      ids.push_back(byte);
    } else {
      const uint8_t more = TakeByte(input);
      ids.push_back(255 + more % 8);  // Some are in no vocabulary.
    }
  }
  return ids;
}

// What may be shown of a whole text: the match that ends first counts, of those
// the one that begins first.
std::pair<std::string, std::optional<std::string>> ShowSlowly(
    const std::string& text, const std::vector<std::string>& stops) {
  for (size_t end = 1; end <= text.size(); ++end) {
    const absl::string_view head(text.data(), end);
    std::optional<std::string> found;
    for (const std::string& stop : stops) {
      if (absl::EndsWith(head, stop) &&
          (!found.has_value() || stop.size() > found->size())) {
        found = stop;
      }
    }
    if (found.has_value()) {
      return {text.substr(0, end - found->size()), found};
    }
  }
  return {text, std::nullopt};
}

bool AreValid(const std::vector<std::string>& stops) {
  return std::all_of(stops.begin(), stops.end(), [](const std::string& stop) {
    return !stop.empty() && !FindInvalidUtf8(stop).has_value();
  });
}

void CheckStream(const std::vector<std::string>& stops,
                 const std::vector<int32_t>& ids) {
  auto matcher = StopMatcher::Create(stops);
  CHECK_EQ(matcher.ok(), AreValid(stops)) << matcher.status();
  if (!matcher.ok()) return;
  size_t longest = 1;
  for (const std::string& stop : stops) {
    longest = std::max(longest, stop.size());
  }

  StreamingDecoder decoder(TinyTokenizer(), /*skip_special_tokens=*/true);
  std::string text;
  std::string shown;
  std::optional<int> stop;
  const auto push = [&](const std::string& delta) {
    CHECK(!FindInvalidUtf8(delta).has_value());
    text += delta;
    const StopMatcher::Result result = matcher->Push(delta);
    CHECK(!FindInvalidUtf8(result.text).has_value());
    CHECK(!stop.has_value() || result.text.empty()) << "text after the stop";
    shown += result.text;
    if (result.stop.has_value()) stop = result.stop;
    // No more is held back than may still become a stop text.
    CHECK(stop.has_value() || text.size() - shown.size() < longest);
  };
  for (const int32_t id : ids) push(decoder.Push(id));
  push(decoder.Flush());
  if (!stop.has_value()) shown += matcher->Flush();

  CHECK(text == TinyTokenizer().Decode(ids, /*skip_special_tokens=*/true));
  const auto [expected, expected_stop] = ShowSlowly(text, stops);
  CHECK(shown == expected);
  CHECK_EQ(stop.has_value(), expected_stop.has_value());
  if (stop.has_value()) CHECK(stops[*stop] == *expected_stop);
}

}  // namespace
}  // namespace hybridserve

// The input is stop texts, each after its length, and token ids. Streamed, the
// ids give valid UTF-8 at every moment, and in the end what they give as a
// whole, up to the first stop text.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  absl::string_view input(reinterpret_cast<const char*>(data),
                          std::min(size, size_t{512}));
  const std::vector<std::string> stops = hybridserve::TakeStops(input);
  hybridserve::CheckStream(stops, hybridserve::TakeIds(input));
  return 0;
}
