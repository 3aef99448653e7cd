#include "client/chart/line_panel.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace hybridserve {
namespace {

// The x that are marked: those of points, but for labels that would touch.
void DrawXAxis(const LinePanel& panel, const PanelFrame& frame, double x_max,
               SvgWriter& svg) {
  std::set<double> values;
  for (const Line& line : panel.lines) {
    for (const LinePoint& point : line.points) values.insert(point.x);
  }
  double free_from = frame.left() - 20;
  for (const double value : values) {
    const double x =
        frame.left() + value / x_max * (frame.right() - frame.left());
    svg.Line({x, frame.bottom()}, {x, frame.bottom() + 5},
             {.colour = kChartInk});
    const std::string label = FormatNumber(value);
    const double half = TextWidth(label, 11) / 2;
    if (x - half < free_from) continue;
    svg.Text(
        {x, frame.bottom() + 18}, label,
        {.size = 11, .anchor = SvgAnchor::kMiddle, .colour = kChartFaintInk});
    free_from = x + half + 6;
  }
  svg.Text(
      {(frame.left() + frame.right()) / 2, frame.bottom() + 38}, panel.x_label,
      {.size = 12, .anchor = SvgAnchor::kMiddle, .colour = kChartFaintInk});
}

}  // namespace

void DrawLinePanel(const LinePanel& panel, const PanelArea& area,
                   SvgWriter& svg) {
  double x_max = 0;
  double y_max = 0;
  std::vector<LegendEntry> legend;
  for (const Line& line : panel.lines) {
    legend.push_back({line.label, ChartColour(line.colour)});
    for (const LinePoint& point : line.points) {
      x_max = std::max(x_max, point.x);
      y_max = std::max({y_max, point.y.value, point.y.high});
    }
  }
  if (!(x_max > 0)) x_max = 1;
  x_max *= 1.03;
  PanelFrame frame(svg, area, y_max);
  frame.Draw(panel.title, panel.y_label, legend);
  DrawXAxis(panel, frame, x_max, svg);
  for (const Line& line : panel.lines) {
    std::vector<SvgPoint> points;
    for (const LinePoint& point : line.points) {
      points.push_back(
          {frame.left() + point.x / x_max * (frame.right() - frame.left()),
           frame.YOf(point.y.value)});
      frame.Whisker(points.back().x, point.y, ChartColour(line.colour));
    }
    svg.Polyline(points, {.colour = ChartColour(line.colour), .width = 2.5});
    for (const SvgPoint& point : points) {
      svg.Circle(point, 4.5, ChartColour(line.colour));
    }
  }
}

}  // namespace hybridserve
