#ifndef HYBRIDSERVE_CLIENT_CHART_FIGURE_H_
#define HYBRIDSERVE_CLIENT_CHART_FIGURE_H_

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace hybridserve {

// A measured value: the middle and the ends of its spread.
struct ChartValue {
  double value = 0;
  double low = 0;
  double high = 0;
};

// Colours that people with any colour vision tell apart (Okabe and Ito 2008,
// "Color Universal Design"), by number; beyond the last they begin again.
std::string ChartColour(int number);

struct Bar {
  std::string label;  // Under the bar.
  std::string note;   // Smaller, under the label.
  ChartValue value;
  std::optional<double> bound;  // A limit to mark above the bar.
  int colour = 0;               // Of ChartColour().
};

// One bar beside the other, with whiskers for the spread.
struct BarPanel {
  std::string title;
  std::string y_label;      // With the unit.
  std::string bound_label;  // What `bound` means, in the legend.
  std::vector<Bar> bars;
};

struct LinePoint {
  double x = 0;
  ChartValue y;
};

struct Line {
  std::string label;  // In the legend.
  std::vector<LinePoint> points;
  int colour = 0;  // Of ChartColour().
};

// Lines over a common x, with whiskers for the spread. Both axes begin at 0.
struct LinePanel {
  std::string title;
  std::string x_label;
  std::string y_label;
  std::vector<Line> lines;
};

// Panels side by side under a title. Plain data.
struct Figure {
  std::string title;
  std::string subtitle;
  std::vector<std::variant<BarPanel, LinePanel>> panels;
  std::vector<std::string> captions;  // A line each, below.
};

// The figure as an SVG document, valid XML whatever the texts are. Pure.
std::string ToSvg(const Figure& figure);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_CHART_FIGURE_H_
