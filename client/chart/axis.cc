#include "client/chart/axis.h"

#include <cmath>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "glog/logging.h"

namespace hybridserve {
namespace {

// The least of 1, 2, 5 times a power of ten that is at least `step`.
double RoundUp(double step) {
  const double power = std::pow(10, std::floor(std::log10(step)));
  for (const double factor : {1, 2, 5}) {
    if (step <= factor * power * (1 + 1e-9)) return factor * power;
  }
  return 10 * power;
}

}  // namespace

Axis MakeAxis(double largest, int steps) {
  CHECK_GE(steps, 1);
  if (!(largest > 0) || !std::isfinite(largest)) largest = 1;
  const double step = RoundUp(largest / steps);
  const int count = static_cast<int>(std::ceil(largest / step - 1e-9));
  Axis axis;
  for (int i = 0; i <= count; ++i) axis.ticks.push_back(i * step);
  axis.max = axis.ticks.back();
  return axis;
}

std::string FormatNumber(double value) {
  const double size = std::fabs(value);
  if (size >= 999.5) {
    const int64_t whole = std::llround(value);
    std::string text = absl::StrCat(whole);
    const size_t sign = whole < 0 ? 1 : 0;
    for (size_t at = text.size(); at > sign + 3;) {
      at -= 3;
      text.insert(at, ",");
    }
    return text;
  }
  const int decimals = size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
  std::string text = size != 0 && size < 0.0995
                         ? absl::StrFormat("%.2g", value)
                         : absl::StrFormat("%.*f", decimals, value);
  if (text.find('.') != std::string::npos &&
      text.find('e') == std::string::npos) {
    while (text.back() == '0') text.pop_back();
    if (text.back() == '.') text.pop_back();
  }
  return text;
}

}  // namespace hybridserve
