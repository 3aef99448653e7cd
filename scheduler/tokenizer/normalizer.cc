#include "scheduler/tokenizer/normalizer.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "glog/logging.h"
#include "scheduler/tokenizer/utf8.h"

namespace hybridserve {
namespace {

using UnicodeForm = Normalizer::UnicodeForm;

const icu::Normalizer2& IcuNormalizer(UnicodeForm form) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* normalizer = nullptr;
  switch (form) {
    case UnicodeForm::kNfc:
      normalizer = icu::Normalizer2::getNFCInstance(error);
      break;
    case UnicodeForm::kNfd:
      normalizer = icu::Normalizer2::getNFDInstance(error);
      break;
    case UnicodeForm::kNfkc:
      normalizer = icu::Normalizer2::getNFKCInstance(error);
      break;
    case UnicodeForm::kNfkd:
      normalizer = icu::Normalizer2::getNFKDInstance(error);
      break;
  }
  CHECK(U_SUCCESS(error)) << "ICU has no data: " << u_errorName(error);
  return *normalizer;
}

// Calls `visit` with every code point of `text` and its bytes.
template <typename Visit>
void ForEachCodePoint(absl::string_view text, Visit visit) {
  while (!text.empty()) {
    const Utf8Step step = NextUtf8(text);
    visit(step.code_point, text.substr(0, step.size));
    text.remove_prefix(step.size);
  }
}

void Append(absl::string_view bytes, std::string& out) {
  out.append(bytes.data(), bytes.size());
}

// ICU sorts a run of combining marks by insertion, which takes minutes for a
// megabyte of them. Long runs are decomposed and sorted here first; the result
// is canonically equivalent, so every form of it is the same.
class MarkRunSorter {
 public:
  explicit MarkRunSorter(std::string& out) : out_(out) {}

  void Add(char32_t code_point, absl::string_view bytes) {
    const auto c = static_cast<UChar32>(code_point);
    if (u_getIntPropertyValue(c, UCHAR_LEAD_CANONICAL_COMBINING_CLASS) == 0) {
      Flush();
      Append(bytes, out_);
      return;
    }
    run_.append(c);
  }

  void Flush() {
    if (run_.length() > kShortRun) {
      std::vector<UChar32> marks = Decomposed();
      std::stable_sort(marks.begin(), marks.end(), [](UChar32 a, UChar32 b) {
        return u_getCombiningClass(a) < u_getCombiningClass(b);
      });
      for (const UChar32 mark : marks) AppendUtf8(mark, out_);
    } else {
      run_.toUTF8String(out_);
    }
    run_.remove();
  }

 private:
  static constexpr int32_t kShortRun = 64;

  std::vector<UChar32> Decomposed() const {
    const icu::Normalizer2& nfd = IcuNormalizer(UnicodeForm::kNfd);
    std::vector<UChar32> marks;
    for (int32_t i = 0; i < run_.length(); i = run_.moveIndex32(i, 1)) {
      const UChar32 c = run_.char32At(i);
      icu::UnicodeString decomposition;
      if (!nfd.getDecomposition(c, decomposition)) {
        marks.push_back(c);
        continue;
      }
      for (int32_t j = 0; j < decomposition.length();
           j = decomposition.moveIndex32(j, 1)) {
        marks.push_back(decomposition.char32At(j));
      }
    }
    return marks;
  }

  std::string& out_;
  icu::UnicodeString run_;
};

class Apply {
 public:
  explicit Apply(absl::string_view text) : text_(text) {}

  absl::StatusOr<std::string> operator()(UnicodeForm form) const {
    std::string sorted;
    sorted.reserve(text_.size());
    MarkRunSorter sorter(sorted);
    ForEachCodePoint(text_, [&](char32_t c, absl::string_view bytes) {
      sorter.Add(c, bytes);
    });
    sorter.Flush();

    std::string out;
    icu::StringByteSink<std::string> sink(&out,
                                          static_cast<int32_t>(sorted.size()));
    UErrorCode error = U_ZERO_ERROR;
    IcuNormalizer(form).normalizeUTF8(
        0, {sorted.data(), static_cast<int32_t>(sorted.size())}, sink, nullptr,
        error);
    if (U_FAILURE(error)) {
      return absl::ResourceExhaustedError(
          absl::StrCat("Unicode normalization: ", u_errorName(error)));
    }
    return out;
  }

  absl::StatusOr<std::string> operator()(Normalizer::Lowercase) const {
    std::string out;
    ForEachCodePoint(text_, [&](char32_t c, absl::string_view) {
      AppendUtf8(u_tolower(static_cast<UChar32>(c)), out);
      // The one code point whose lower case is two: I with a dot keeps it.
      constexpr char32_t kCapitalIWithDot = 0x130;
      constexpr char32_t kDotAbove = 0x307;
      if (c == kCapitalIWithDot) AppendUtf8(kDotAbove, out);
    });
    return out;
  }

  absl::StatusOr<std::string> operator()(Normalizer::StripAccents) const {
    std::string out;
    ForEachCodePoint(text_, [&](char32_t c, absl::string_view bytes) {
      if (u_charType(static_cast<UChar32>(c)) != U_NON_SPACING_MARK) {
        Append(bytes, out);
      }
    });
    return out;
  }

  absl::StatusOr<std::string> operator()(const Normalizer::Strip& step) const {
    const char* begin = nullptr;
    const char* end = nullptr;
    ForEachCodePoint(text_, [&](char32_t c, absl::string_view bytes) {
      if (u_isUWhiteSpace(static_cast<UChar32>(c))) return;
      if (begin == nullptr) begin = bytes.data();
      end = bytes.data() + bytes.size();
    });
    if (begin == nullptr) {
      return std::string(step.left || step.right ? "" : text_);
    }
    if (!step.left) begin = text_.data();
    if (!step.right) end = text_.data() + text_.size();
    return std::string(begin, end);
  }

  absl::StatusOr<std::string> operator()(
      const Normalizer::Prepend& step) const {
    if (text_.empty()) return std::string();
    return absl::StrCat(step.prefix, text_);
  }

  absl::StatusOr<std::string> operator()(
      const Normalizer::Replace& step) const {
    std::string out;
    int64_t done = 0;
    bool too_long = false;
    RETURN_IF_ERROR(
        step.regex.ForEachMatch(text_, [&](int64_t begin, int64_t end) {
          too_long |= static_cast<int64_t>(out.size()) > Normalizer::kMaxBytes;
          if (too_long) return;
          Append(text_.substr(done, begin - done), out);
          out.append(step.content);
          done = end;
        }));
    if (too_long) {
      return absl::ResourceExhaustedError("the replaced text is too long");
    }
    Append(text_.substr(done), out);
    return out;
  }

 private:
  absl::string_view text_;
};

}  // namespace

absl::StatusOr<std::string> Normalizer::Normalize(
    absl::string_view text) const {
  std::string current(text);
  for (const Step& step : steps_) {
    ASSIGN_OR_RETURN(current, std::visit(Apply(current), step));
    if (static_cast<int64_t>(current.size()) > kMaxBytes) {
      return absl::ResourceExhaustedError("the normalized text is too long");
    }
  }
  return current;
}

}  // namespace hybridserve
