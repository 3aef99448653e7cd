#ifndef HYBRIDSERVE_CLIENT_CHART_LINE_PANEL_H_
#define HYBRIDSERVE_CLIENT_CHART_LINE_PANEL_H_

#include "client/chart/figure.h"
#include "client/chart/panel_frame.h"
#include "client/chart/svg_writer.h"

namespace hybridserve {

// Draws `panel` into `area`.
void DrawLinePanel(const LinePanel& panel, const PanelArea& area,
                   SvgWriter& svg);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_CHART_LINE_PANEL_H_
