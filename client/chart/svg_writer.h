#ifndef HYBRIDSERVE_CLIENT_CHART_SVG_WRITER_H_
#define HYBRIDSERVE_CLIENT_CHART_SVG_WRITER_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace hybridserve {

// A point in pixels, x to the right and y down.
struct SvgPoint {
  double x = 0;
  double y = 0;
};

// Where a text's point is.
enum class SvgAnchor { kStart, kMiddle, kEnd };

struct SvgTextStyle {
  double size = 12;  // Pixels.
  SvgAnchor anchor = SvgAnchor::kStart;
  std::string colour = "#1f2933";
  bool bold = false;
  bool upwards = false;  // Turned left by 90 degrees about its point.
};

struct SvgStroke {
  std::string colour = "#1f2933";
  double width = 1;
  bool dashed = false;
};

// `text` so that XML reads it back: entities for markup, U+FFFD for what is
// not UTF-8 or no XML character.
std::string EscapeXml(absl::string_view text);

// Puts an SVG document together, shape by shape, later ones on top.
// Thread-compatible.
class SvgWriter {
 public:
  // Pixels. `title` is what a screen reader says.
  SvgWriter(double width, double height, absl::string_view title);

  void Rectangle(SvgPoint corner, double width, double height,
                 absl::string_view fill);
  void Line(SvgPoint from, SvgPoint to, const SvgStroke& stroke);
  void Polyline(const std::vector<SvgPoint>& points, const SvgStroke& stroke);
  void Circle(SvgPoint centre, double radius, absl::string_view fill);
  void Text(SvgPoint point, absl::string_view text,
            const SvgTextStyle& style = {});

  // The whole document.
  std::string Finish() const;

 private:
  std::string body_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_CHART_SVG_WRITER_H_
