#ifndef HYBRIDSERVE_CLIENT_CHART_PANEL_FRAME_H_
#define HYBRIDSERVE_CLIENT_CHART_PANEL_FRAME_H_

#include <string>
#include <vector>

#include "client/chart/axis.h"
#include "client/chart/figure.h"
#include "client/chart/svg_writer.h"

namespace hybridserve {

inline constexpr char kChartInk[] = "#1f2933";
inline constexpr char kChartFaintInk[] = "#52606d";
inline constexpr char kChartGrid[] = "#e4e7eb";

// A rectangle of a figure, in pixels.
struct PanelArea {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
};

// One sign of a legend and what it stands for.
struct LegendEntry {
  std::string label;
  std::string colour;
  bool dashed = false;
};

// What panels have in common: title, legend, the y axis with its grid, and
// from values to pixels. Thread-compatible.
class PanelFrame {
 public:
  // Values to show are in [0, `largest`]. `svg` outlives this.
  PanelFrame(SvgWriter& svg, const PanelArea& area, double largest);

  // The plot itself, without title, legend and labels.
  double left() const { return area_.x + 62; }
  double right() const { return area_.x + area_.width - 14; }
  double top() const { return area_.y + 56; }
  double bottom() const { return area_.y + area_.height - 50; }
  double YOf(double value) const;

  // Everything but the values.
  void Draw(const std::string& title, const std::string& y_label,
            const std::vector<LegendEntry>& legend);
  // A spread's ends about `x`; nothing if they are one.
  void Whisker(double x, const ChartValue& value, const std::string& colour);

 private:
  void DrawLegend(const std::vector<LegendEntry>& legend);

  SvgWriter& svg_;
  const PanelArea area_;
  const Axis axis_;
};

// About how wide a text of `size` is, in pixels.
double TextWidth(const std::string& text, double size);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_CHART_PANEL_FRAME_H_
