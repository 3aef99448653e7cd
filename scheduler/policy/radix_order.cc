#include "scheduler/policy/radix_order.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>

// Byte by byte, the least significant first, each pass keeping the order of
// equal bytes. Bytes beyond the largest key need no pass.

namespace hybridserve {
namespace {

constexpr int kByteBits = 8;
constexpr size_t kNumBytes = size_t{1} << kByteBits;

}  // namespace

std::vector<int32_t> LargestFirst(absl::Span<const uint64_t> keys) {
  std::vector<int32_t> order(keys.size());
  std::iota(order.begin(), order.end(), 0);
  uint64_t largest = 0;
  for (const uint64_t key : keys) largest = std::max(largest, key);
  std::vector<int32_t> next(keys.size());
  for (int shift = 0; shift < 64 && largest >> shift != 0; shift += kByteBits) {
    const auto byte_of = [&keys, shift](int32_t index) {
      return static_cast<size_t>(keys[index] >> shift) % kNumBytes;
    };
    std::array<int32_t, kNumBytes> place = {};
    for (const int32_t index : order) ++place[byte_of(index)];
    int32_t before = 0;  // Indices with larger bytes.
    for (size_t byte = kNumBytes; byte-- > 0;) {
      const int32_t count = place[byte];
      place[byte] = before;
      before += count;
    }
    for (const int32_t index : order) next[place[byte_of(index)]++] = index;
    order.swap(next);
  }
  return order;
}

}  // namespace hybridserve
