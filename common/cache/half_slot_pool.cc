#include "common/cache/half_slot_pool.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/ids.h"
#include "glog/logging.h"

namespace hybridserve {
namespace {

constexpr int32_t kWordBits = 64;

}  // namespace

HalfSlotPool::HalfSlotPool(int32_t capacity)
    : capacity_(capacity), num_free_(capacity) {
  CHECK_GE(capacity, 0);
  free_.assign(capacity / kWordBits, ~uint64_t{0});
  const int32_t rest = capacity % kWordBits;
  if (rest > 0) free_.push_back((uint64_t{1} << rest) - 1);
}

absl::StatusOr<std::vector<HalfSlot>> HalfSlotPool::Allocate(int32_t count) {
  CHECK_GE(count, 0);
  if (count > num_free_) {
    return absl::ResourceExhaustedError(absl::StrCat(
        count, " half-slots wanted, ", num_free_, " of ", capacity_, " free"));
  }
  std::vector<HalfSlot> slots;
  slots.reserve(count);
  while (slots.size() < static_cast<size_t>(count)) {
    uint64_t& word = free_[first_word_];
    if (word == 0) {
      ++first_word_;
      continue;
    }
    const int bit = std::countr_zero(word);
    slots.emplace_back(static_cast<int32_t>(first_word_) * kWordBits + bit);
    word &= word - 1;  // Clears the lowest bit.
  }
  num_free_ -= count;
  return slots;
}

void HalfSlotPool::Free(absl::Span<const HalfSlot> slots) {
  for (const HalfSlot slot : slots) {
    CHECK(slot.value() >= 0 && slot.value() < capacity_)
        << "half-slot(" << slot << ") is outside the pool of " << capacity_;
    const size_t index = slot.value() / kWordBits;
    const uint64_t bit = uint64_t{1} << (slot.value() % kWordBits);
    CHECK((free_[index] & bit) == 0)
        << "half-slot(" << slot << ") is not in use";
    free_[index] |= bit;
    first_word_ = std::min(first_word_, index);
    ++num_free_;
  }
}

}  // namespace hybridserve
