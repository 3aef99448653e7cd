#ifndef HYBRIDSERVE_SCHEDULER_TOKENIZER_STOP_MATCHER_H_
#define HYBRIDSERVE_SCHEDULER_TOKENIZER_STOP_MATCHER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hybridserve {

// Looks for stop strings in text that arrives bit by bit.
//
// Holds back the longest end of the text that could begin a stop string, so
// that no part of one is ever shown. The match that ends first counts, and of
// those that end together the one that begins first; so what comes out does
// not depend on how the text is cut. Thread-compatible.
class StopMatcher {
 public:
  static constexpr int64_t kMaxStops = 64;
  static constexpr int64_t kMaxStopBytes = 4096;

  struct Result {
    std::string text;         // To show now; valid UTF-8 if the input is.
    std::optional<int> stop;  // Index of the stop string that was found.
  };

  // InvalidArgument, naming the index, if a stop string is empty, is not valid
  // UTF-8 or is longer than kMaxStopBytes, or if there are too many.
  static absl::StatusOr<StopMatcher> Create(std::vector<std::string> stops);

  // Takes the next bit of text. Once a stop string was found the matcher is
  // done: whatever else comes is dropped, and no text or stop is returned.
  Result Push(absl::string_view text);

  // The text held back, when no more comes.
  std::string Flush();

 private:
  struct Stop {
    std::string text;
    std::vector<int32_t> borders;  // [i]: of its first i bytes, longest border.
    int32_t matched = 0;           // Bytes of it at the end of the input.
  };

  explicit StopMatcher(std::vector<Stop> stops) : stops_(std::move(stops)) {}
  static void Advance(char byte, Stop& stop);

  std::vector<Stop> stops_;
  std::string held_;
  bool done_ = false;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_TOKENIZER_STOP_MATCHER_H_
