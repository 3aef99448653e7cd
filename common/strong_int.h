#ifndef HYBRIDSERVE_COMMON_STRONG_INT_H_
#define HYBRIDSERVE_COMMON_STRONG_INT_H_

#include <compare>
#include <cstdint>
#include <ostream>
#include <utility>

namespace hybridserve {

// An integer that does not mix with integers of another meaning.
//
// `Tag` is an empty struct that names the meaning. Conversion from and to the
// raw integer is explicit; ids of one kind compare, hash and print.
template <typename Tag, typename Rep = int64_t>
class StrongInt {
 public:
  constexpr StrongInt() = default;
  constexpr explicit StrongInt(Rep value) : value_(value) {}

  constexpr Rep value() const { return value_; }

  friend constexpr auto operator<=>(StrongInt, StrongInt) = default;

  template <typename H>
  friend H AbslHashValue(H h, StrongInt id) {
    return H::combine(std::move(h), id.value_);
  }
  friend std::ostream& operator<<(std::ostream& out, StrongInt id) {
    return out << id.value_;
  }

 private:
  Rep value_ = 0;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_STRONG_INT_H_
