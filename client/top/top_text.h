#ifndef HYBRIDSERVE_CLIENT_TOP_TOP_TEXT_H_
#define HYBRIDSERVE_CLIENT_TOP_TOP_TEXT_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "client/top/top_view.h"

namespace hybridserve {

// Part of a bar: so much of the whole, drawn with one character.
struct BarPart {
  double amount = 0;        // >= 0.
  absl::string_view glyph;  // One column wide.
};

// `width` columns of which the parts, in order, fill their shares of `whole`;
// the rest is dots. Parts that are more than the whole fill it.
std::string DrawBar(absl::Span<const BarPart> parts, double whole, int width);

// One frame of `hybridserve top`: lines of text without escape codes, none
// wider than `width` columns (at least 20). `server` is named in the first.
std::vector<std::string> DrawTop(const TopView& view, absl::string_view server,
                                 int width);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_TOP_TOP_TEXT_H_
