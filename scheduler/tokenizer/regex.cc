#include "scheduler/tokenizer/regex.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "glog/logging.h"
#include "scheduler/tokenizer/regex_syntax.h"
#include "scheduler/tokenizer/utf8.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace hybridserve {
namespace {

constexpr uint32_t kHeapLimitKib = 256 << 10;

struct MatchDataDeleter {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct MatchContextDeleter {
  void operator()(pcre2_match_context* context) const {
    pcre2_match_context_free(context);
  }
};
using MatchData = std::unique_ptr<pcre2_match_data, MatchDataDeleter>;
using MatchContext = std::unique_ptr<pcre2_match_context, MatchContextDeleter>;

std::string ErrorText(int code) {
  char text[256];
  const int size = pcre2_get_error_message(
      code, reinterpret_cast<PCRE2_UCHAR*>(text), sizeof(text));
  return size < 0 ? absl::StrCat("error ", code) : std::string(text);
}

// A run of n spaces may honestly need n steps back; an exponential search
// passes any such bound quickly.
uint32_t MatchLimit(size_t text_bytes) {
  const uint64_t limit = 1'000'000 + 16 * uint64_t{text_bytes};
  return static_cast<uint32_t>(
      std::min<uint64_t>(limit, std::numeric_limits<uint32_t>::max()));
}

MatchContext MakeMatchContext(size_t text_bytes) {
  MatchContext context(pcre2_match_context_create(nullptr));
  CHECK(context != nullptr) << "out of memory";
  pcre2_set_match_limit(context.get(), MatchLimit(text_bytes));
  pcre2_set_heap_limit(context.get(), kHeapLimitKib);
  return context;
}

}  // namespace

Regex::Regex(std::shared_ptr<const pcre2_real_code_8> code)
    : code_(std::move(code)) {}

absl::StatusOr<Regex> Regex::Create(absl::string_view pattern) {
  if (static_cast<int64_t>(pattern.size()) > kMaxPatternBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("regular expression of ", pattern.size(),
                     " bytes, more than the ", kMaxPatternBytes, " allowed"));
  }
  ASSIGN_OR_RETURN(const std::string rewritten, OnigurumaToPcre2(pattern));
  return Compile(rewritten);
}

absl::StatusOr<Regex> Regex::Literal(absl::string_view text) {
  CHECK(!text.empty());
  return Compile(EscapeForPcre2(text));
}

absl::StatusOr<Regex> Regex::Compile(absl::string_view pcre2_pattern) {
  pcre2_compile_context* context = pcre2_compile_context_create(nullptr);
  CHECK(context != nullptr) << "out of memory";
  pcre2_set_newline(context, PCRE2_NEWLINE_LF);
  pcre2_set_parens_nest_limit(context, 50);
  int error = 0;
  PCRE2_SIZE error_offset = 0;
  pcre2_code* code = pcre2_compile(
      reinterpret_cast<PCRE2_SPTR>(pcre2_pattern.data()), pcre2_pattern.size(),
      PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C |
          PCRE2_NO_AUTO_CAPTURE,
      &error, &error_offset, context);
  pcre2_compile_context_free(context);
  if (code == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(
        "regular expression: ", ErrorText(error), " near byte ", error_offset));
  }
  // Where machine code can't be made, PCRE2 interprets: slower, the same.
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
  return Regex(std::shared_ptr<const pcre2_real_code_8>(
      code, [](pcre2_code* owned) { pcre2_code_free(owned); }));
}

absl::Status Regex::ForEachMatch(
    absl::string_view text,
    absl::FunctionRef<void(int64_t, int64_t)> visit) const {
  const MatchData data(
      pcre2_match_data_create_from_pattern(code_.get(), nullptr));
  CHECK(data != nullptr) << "out of memory";
  const MatchContext context = MakeMatchContext(text.size());
  const auto match = [&](PCRE2_SIZE from, uint32_t options) {
    return pcre2_match(code_.get(), reinterpret_cast<PCRE2_SPTR>(text.data()),
                       text.size(), from, PCRE2_NO_UTF_CHECK | options,
                       data.get(), context.get());
  };

  PCRE2_SIZE from = 0;
  PCRE2_SIZE last_end = PCRE2_UNSET;
  while (from <= text.size()) {
    int result = match(from, 0);
    // The machine code has a small stack; the interpreter uses the heap.
    if (result == PCRE2_ERROR_JIT_STACKLIMIT) {
      result = match(from, PCRE2_NO_JIT);
    }
    if (result == PCRE2_ERROR_NOMATCH) break;
    if (result < 0) {
      return absl::ResourceExhaustedError(
          absl::StrCat("regular expression: ", ErrorText(result)));
    }
    const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(data.get());
    const PCRE2_SIZE begin = bounds[0];
    const PCRE2_SIZE end = bounds[1];
    if (begin == end && end == last_end) {
      if (from == text.size()) break;
      from += NextUtf8(text.substr(from)).size;
      continue;
    }
    from = end;
    last_end = end;
    visit(static_cast<int64_t>(begin), static_cast<int64_t>(end));
  }
  return absl::OkStatus();
}

}  // namespace hybridserve
