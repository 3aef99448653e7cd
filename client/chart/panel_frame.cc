#include "client/chart/panel_frame.h"

namespace hybridserve {

double TextWidth(const std::string& text, double size) {
  // The mean letter of a sans serif face is some 0.56 of its size wide.
  return 0.56 * size * static_cast<double>(text.size());
}

PanelFrame::PanelFrame(SvgWriter& svg, const PanelArea& area, double largest)
    : svg_(svg), area_(area), axis_(MakeAxis(largest * 1.05, 6)) {}

double PanelFrame::YOf(double value) const {
  return bottom() - value / axis_.max * (bottom() - top());
}

void PanelFrame::Draw(const std::string& title, const std::string& y_label,
                      const std::vector<LegendEntry>& legend) {
  svg_.Text({left(), area_.y + 16}, title,
            {.size = 14, .colour = kChartInk, .bold = true});
  DrawLegend(legend);
  for (const double tick : axis_.ticks) {
    const double y = YOf(tick);
    svg_.Line({left(), y}, {right(), y},
              {.colour = tick == 0 ? kChartInk : kChartGrid});
    svg_.Text(
        {left() - 8, y + 4}, FormatNumber(tick),
        {.size = 11, .anchor = SvgAnchor::kEnd, .colour = kChartFaintInk});
  }
  svg_.Text({area_.x + 12, (top() + bottom()) / 2}, y_label,
            {.size = 12,
             .anchor = SvgAnchor::kMiddle,
             .colour = kChartFaintInk,
             .upwards = true});
}

void PanelFrame::DrawLegend(const std::vector<LegendEntry>& legend) {
  const double y = area_.y + 36;
  double x = left();
  for (const LegendEntry& entry : legend) {
    svg_.Line({x, y - 4}, {x + 20, y - 4},
              {.colour = entry.colour, .width = 2.5, .dashed = entry.dashed});
    svg_.Text({x + 26, y}, entry.label,
              {.size = 11.5, .colour = kChartFaintInk});
    x += 26 + TextWidth(entry.label, 11.5) + 18;
  }
}

void PanelFrame::Whisker(double x, const ChartValue& value,
                         const std::string& colour) {
  if (value.low == value.high) return;
  const SvgStroke stroke = {.colour = colour, .width = 1.25};
  const double low = YOf(value.low);
  const double high = YOf(value.high);
  svg_.Line({x, low}, {x, high}, stroke);
  svg_.Line({x - 5, low}, {x + 5, low}, stroke);
  svg_.Line({x - 5, high}, {x + 5, high}, stroke);
}

}  // namespace hybridserve
