#include "kernels/linear_kernel.h"

#include "kernels/panel_layout.h"

namespace hybridserve {

const WeightLayout& OwnLinear::layout() const {
  static const PanelLayout layout;
  return layout;
}

}  // namespace hybridserve
