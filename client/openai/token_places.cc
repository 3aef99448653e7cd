#include "client/openai/token_places.h"

#include <algorithm>

namespace hybridserve::openai {
namespace {

// All bytes but those that go on with a character.
int64_t CountCharacters(absl::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  });
}

}  // namespace

void TokenPlaces::AddPrefix(absl::string_view text) {
  AddText(text);
  Skip(text.size());
}

void TokenPlaces::AddText(absl::string_view text) {
  text_.append(text.data(), text.size());
}

int64_t TokenPlaces::Place(absl::string_view token_text) {
  const absl::string_view rest = absl::string_view(text_).substr(begin_);
  const size_t at = rest.find(token_text);
  // Further on only where tokens before it were not in the text.
  const bool found = at == 0 || (searching_ && at != absl::string_view::npos);
  searching_ = !found;
  if (!found) return characters_;
  Skip(at);
  const int64_t place = characters_;
  Skip(token_text.size());
  return place;
}

void TokenPlaces::Skip(size_t bytes) {
  characters_ +=
      CountCharacters(absl::string_view(text_).substr(begin_, bytes));
  begin_ += bytes;
}

}  // namespace hybridserve::openai
