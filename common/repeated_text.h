#ifndef HYBRIDSERVE_COMMON_REPEATED_TEXT_H_
#define HYBRIDSERVE_COMMON_REPEATED_TEXT_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace hybridserve {

// The type of a flag that may be given several times: every value counts, in
// order, commas and all.
//
//   ABSL_FLAG(hybridserve::RepeatedText, stop, {}, "Text that ends ...");
//
// Works with ParseFlags (common/flag_parser.h), which hands all values over as
// one text, joined by the ASCII unit separator; no value may contain that.
struct RepeatedText {
  static constexpr char kSeparator = '\x1f';

  std::vector<std::string> values;
};

bool AbslParseFlag(absl::string_view text, RepeatedText* flag,
                   std::string* error);
std::string AbslUnparseFlag(const RepeatedText& flag);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_REPEATED_TEXT_H_
