#include "worker/resident_share.h"

#include <cstddef>
#include <cstdint>

namespace hybridserve {
namespace {

// Of what lies in [before, before + bytes) of `total`.
bool MiddleIsResident(int64_t before, int64_t bytes, int64_t total,
                      double percent) {
  const double middle =
      static_cast<double>(before) + static_cast<double>(bytes) / 2;
  return middle >= (1 - percent / 100) * static_cast<double>(total);
}

}  // namespace

std::vector<bool> ResidentLayerParts(const LayerPlan& layer, double percent) {
  std::vector<bool> parts = {
      MiddleIsResident(0, layer.vector_bytes, layer.bytes, percent)};
  int64_t before = layer.vector_bytes;
  for (size_t i = 0; i < layer.pieces.size();) {
    size_t end = i;  // Of this matrix.
    int64_t bytes = 0;
    for (; end < layer.pieces.size() &&
           layer.pieces[end].weight == layer.pieces[i].weight;
         ++end) {
      bytes += layer.pieces[end].bytes;
    }
    parts.insert(parts.end(), end - i,
                 MiddleIsResident(before, bytes, layer.bytes, percent));
    before += bytes;
    i = end;
  }
  return parts;
}

bool HeadIsResident(double percent) {
  return MiddleIsResident(0, 1, 1, percent);
}

}  // namespace hybridserve
