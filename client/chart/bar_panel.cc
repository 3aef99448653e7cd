#include "client/chart/bar_panel.h"

#include <algorithm>
#include <string>
#include <vector>

namespace hybridserve {
namespace {

double Largest(const BarPanel& panel) {
  double largest = 0;
  for (const Bar& bar : panel.bars) {
    largest = std::max(
        {largest, bar.value.high, bar.value.value, bar.bound.value_or(0)});
  }
  return largest;
}

bool HasBounds(const BarPanel& panel) {
  return std::any_of(panel.bars.begin(), panel.bars.end(),
                     [](const Bar& bar) { return bar.bound.has_value(); });
}

// The size at which `text` is at most `width` wide, up to `size`.
double FittingSize(const std::string& text, double size, double width) {
  return std::min(size, size * width / std::max(1.0, TextWidth(text, size)));
}

}  // namespace

void DrawBarPanel(const BarPanel& panel, const PanelArea& area,
                  SvgWriter& svg) {
  PanelFrame frame(svg, area, Largest(panel));
  std::vector<LegendEntry> legend;
  if (HasBounds(panel)) {
    legend.push_back({panel.bound_label, kChartInk, /*dashed=*/true});
  }
  frame.Draw(panel.title, panel.y_label, legend);
  if (panel.bars.empty()) return;
  const double pitch =
      (frame.right() - frame.left()) / static_cast<double>(panel.bars.size());
  const double width = std::min(0.56 * pitch, 84.0);
  for (size_t i = 0; i < panel.bars.size(); ++i) {
    const Bar& bar = panel.bars[i];
    const double x = frame.left() + (static_cast<double>(i) + 0.5) * pitch;
    const double top = frame.YOf(bar.value.value);
    svg.Rectangle({x - width / 2, top}, width, frame.bottom() - top,
                  ChartColour(bar.colour));
    frame.Whisker(x, bar.value, kChartInk);
    if (bar.bound.has_value()) {
      const double y = frame.YOf(*bar.bound);
      svg.Line({x - 0.62 * width, y}, {x + 0.62 * width, y},
               {.colour = kChartInk, .width = 2, .dashed = true});
    }
    // Inside the bar's foot, where neither whisker nor bound is.
    const std::string number = FormatNumber(bar.value.value);
    const double size = FittingSize(number, 13, width - 4);
    const bool inside = frame.bottom() - frame.YOf(bar.value.low) > 26;
    svg.Text(
        {x,
         inside
             ? frame.bottom() - 9
             : frame.YOf(std::max(bar.value.high, bar.bound.value_or(0))) - 6},
        number,
        {.size = size,
         .anchor = SvgAnchor::kMiddle,
         .colour = inside ? "#ffffff" : kChartInk,
         .bold = true});
    svg.Text({x, frame.bottom() + 18}, bar.label,
             {.size = FittingSize(bar.label, 13, pitch - 4),
              .anchor = SvgAnchor::kMiddle,
              .colour = kChartInk,
              .bold = true});
    svg.Text({x, frame.bottom() + 34}, bar.note,
             {.size = FittingSize(bar.note, 11, pitch - 4),
              .anchor = SvgAnchor::kMiddle,
              .colour = kChartFaintInk});
  }
}

}  // namespace hybridserve
