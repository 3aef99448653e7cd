#include "scheduler/tokenizer/stop_matcher.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "scheduler/tokenizer/utf8.h"

// One Knuth-Morris-Pratt automaton a stop string, stepped together byte by
// byte. The longest state is what must be held back. A stop string begins with
// a whole character, so the text before a state ends with one.

namespace hybridserve {

absl::StatusOr<StopMatcher> StopMatcher::Create(
    std::vector<std::string> stops) {
  if (static_cast<int64_t>(stops.size()) > kMaxStops) {
    return absl::InvalidArgumentError(
        absl::StrCat("stop: ", stops.size(), " stop strings, more than the ",
                     kMaxStops, " allowed"));
  }
  std::vector<Stop> automata;
  for (size_t i = 0; i < stops.size(); ++i) {
    const std::string& text = stops[i];
    const auto refuse = [&](absl::string_view why) {
      return absl::InvalidArgumentError(absl::StrCat("stop[", i, "]: ", why));
    };
    if (text.empty()) return refuse("is empty");
    if (static_cast<int64_t>(text.size()) > kMaxStopBytes) {
      return refuse(absl::StrCat(text.size(), " bytes, more than the ",
                                 kMaxStopBytes, " allowed"));
    }
    if (const std::optional<int64_t> offset = FindInvalidUtf8(text)) {
      return refuse(absl::StrCat("not valid UTF-8 at byte ", *offset));
    }
    // borders[n] is the state of `text` fed to itself from its second byte.
    Stop stop{.text = text, .borders = {0, 0}};
    for (size_t n = 1; n < text.size(); ++n) {
      Advance(text[n], stop);
      stop.borders.push_back(stop.matched);
    }
    stop.matched = 0;
    automata.push_back(std::move(stop));
  }
  return StopMatcher(std::move(automata));
}

void StopMatcher::Advance(char byte, Stop& stop) {
  while (stop.matched > 0 && stop.text[stop.matched] != byte) {
    stop.matched = stop.borders[stop.matched];
  }
  if (stop.text[stop.matched] == byte) ++stop.matched;
}

StopMatcher::Result StopMatcher::Push(absl::string_view text) {
  Result result;
  if (done_) return result;
  for (const char byte : text) {
    held_.push_back(byte);
    for (size_t i = 0; i < stops_.size(); ++i) {
      Stop& stop = stops_[i];
      Advance(byte, stop);
      const bool complete =
          stop.matched == static_cast<int32_t>(stop.text.size());
      if (!complete) continue;
      const bool longer = !result.stop.has_value() ||
                          stop.text.size() > stops_[*result.stop].text.size();
      if (longer) result.stop = static_cast<int>(i);
    }
    if (result.stop.has_value()) break;
  }
  size_t hold = 0;
  if (result.stop.has_value()) {
    hold = stops_[*result.stop].text.size();
    done_ = true;
  } else {
    for (const Stop& stop : stops_) {
      hold = std::max(hold, static_cast<size_t>(stop.matched));
    }
  }
  result.text = held_.substr(0, held_.size() - hold);
  held_.erase(0, held_.size() - hold);
  if (done_) held_.clear();
  return result;
}

std::string StopMatcher::Flush() {
  done_ = true;
  return std::exchange(held_, {});
}

}  // namespace hybridserve
