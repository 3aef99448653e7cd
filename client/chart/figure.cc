#include "client/chart/figure.h"

#include <algorithm>
#include <array>

#include "client/chart/bar_panel.h"
#include "client/chart/line_panel.h"
#include "client/chart/panel_frame.h"
#include "client/chart/svg_writer.h"

namespace hybridserve {
namespace {

constexpr double kMargin = 24;
constexpr double kPanelHeight = 380;
constexpr double kGap = 22;
constexpr double kCaptionLine = 17;
constexpr double kCaptionSize = 11;

double PanelWidth(const std::variant<BarPanel, LinePanel>& panel) {
  const auto* const bars = std::get_if<BarPanel>(&panel);
  if (bars == nullptr) return 720;
  return std::max(400.0, 80 + 96.0 * static_cast<double>(bars->bars.size()));
}

}  // namespace

std::string ChartColour(int number) {
  constexpr std::array<const char*, 7> kColours = {
      "#0072b2", "#d55e00", "#009e73", "#cc79a7",
      "#56b4e9", "#e69f00", "#4d4d4d"};
  return kColours[static_cast<size_t>(number) % kColours.size()];
}

std::string ToSvg(const Figure& figure) {
  double panels_width = 0;
  for (const auto& panel : figure.panels) panels_width += PanelWidth(panel);
  const double gaps =
      kGap * std::max(0.0, static_cast<double>(figure.panels.size()) - 1);
  double inner = std::max({panels_width + gaps, TextWidth(figure.title, 18),
                           TextWidth(figure.subtitle, 12.5)});
  for (const std::string& caption : figure.captions) {
    inner = std::max(inner, TextWidth(caption, kCaptionSize));
  }
  // Panels share what long texts add.
  const double stretch = panels_width > 0 ? (inner - gaps) / panels_width : 1;
  const double width = inner + 2 * kMargin;
  const double panels_top = 80;
  const double captions_top = panels_top + kPanelHeight + 18;
  const double height =
      captions_top + kMargin / 2 +
      kCaptionLine * static_cast<double>(figure.captions.size());
  SvgWriter svg(width, height, figure.title);
  svg.Rectangle({0, 0}, width, height, "#ffffff");
  svg.Text({kMargin, 34}, figure.title,
           {.size = 18, .colour = kChartInk, .bold = true});
  svg.Text({kMargin, 56}, figure.subtitle,
           {.size = 12.5, .colour = kChartFaintInk});
  double x = kMargin;
  for (const auto& panel : figure.panels) {
    const PanelArea area = {x, panels_top, stretch * PanelWidth(panel),
                            kPanelHeight};
    if (const auto* bars = std::get_if<BarPanel>(&panel)) {
      DrawBarPanel(*bars, area, svg);
    } else {
      DrawLinePanel(std::get<LinePanel>(panel), area, svg);
    }
    x += area.width + kGap;
  }
  double y = captions_top + 6;
  for (const std::string& caption : figure.captions) {
    svg.Text({kMargin, y}, caption,
             {.size = kCaptionSize, .colour = kChartFaintInk});
    y += kCaptionLine;
  }
  return svg.Finish();
}

}  // namespace hybridserve
