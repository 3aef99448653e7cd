#include "kernels/element_convert.h"

#include <cstring>

#include "glog/logging.h"

namespace hybridserve {
namespace {

template <typename T>
T Load(const char* from, int64_t i) {
  T value;
  std::memcpy(&value, from + i * static_cast<int64_t>(sizeof(T)), sizeof(T));
  return value;
}

template <typename T>
void Store(T value, char* to, int64_t i) {
  std::memcpy(to + i * static_cast<int64_t>(sizeof(T)), &value, sizeof(T));
}

template <typename Source>
void ConvertFrom(Source source, DType to_dtype, char* to, int64_t count) {
  switch (to_dtype) {
    case DType::kFloat32:
      for (int64_t i = 0; i < count; ++i) Store(source(i), to, i);
      return;
    case DType::kBFloat16:
      for (int64_t i = 0; i < count; ++i) {
        Store(FloatToBFloat16(source(i)), to, i);
      }
      return;
    case DType::kFloat16:
      for (int64_t i = 0; i < count; ++i) {
        Store(FloatToFloat16(source(i)), to, i);
      }
      return;
    case DType::kInt32:
      break;
  }
  LOG(FATAL) << "no conversion to " << Name(to_dtype);
}

}  // namespace

float Float16ToFloat(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000U) << 16;
  const uint32_t exponent = (bits >> 10) & 0x1FU;
  const uint32_t fraction = bits & 0x3FFU;
  if (exponent == 0x1F) {  // Infinity, NaN.
    return std::bit_cast<float>(sign | 0x7F800000U | (fraction << 13));
  }
  if (exponent == 0) {  // Zero, subnormal: fraction * 2^-24, exact.
    const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(magnitude));
  }
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) |
                              (fraction << 13));
}

uint16_t FloatToFloat16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint16_t sign = static_cast<uint16_t>((bits >> 16) & 0x8000U);
  const uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) return sign | 0x7E00U;   // NaN.
  if (magnitude >= 0x477FF000U) return sign | 0x7C00U;  // Rounds to infinity.
  if (magnitude < 0x38800000U) {  // Subnormal: let the adder round.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
    return static_cast<uint16_t>(
        sign | (std::bit_cast<uint32_t>(shifted) - 0x3F000000U));
  }
  const uint32_t odd = (magnitude >> 13) & 1U;
  return static_cast<uint16_t>(
      sign | ((magnitude - (112U << 23) + 0xFFFU + odd) >> 13));
}

void ConvertElements(DType from_dtype, const void* from, DType to_dtype,
                     void* to, int64_t count) {
  const char* source = static_cast<const char*>(from);
  char* target = static_cast<char*>(to);
  if (from_dtype == to_dtype) {
    if (count > 0) std::memmove(target, source, count * SizeOf(from_dtype));
    return;
  }
  switch (from_dtype) {
    case DType::kFloat32:
      return ConvertFrom([&](int64_t i) { return Load<float>(source, i); },
                         to_dtype, target, count);
    case DType::kBFloat16:
      return ConvertFrom(
          [&](int64_t i) { return BFloat16ToFloat(Load<uint16_t>(source, i)); },
          to_dtype, target, count);
    case DType::kFloat16:
      return ConvertFrom(
          [&](int64_t i) { return Float16ToFloat(Load<uint16_t>(source, i)); },
          to_dtype, target, count);
    case DType::kInt32:
      break;
  }
  LOG(FATAL) << "no conversion from " << Name(from_dtype);
}

}  // namespace hybridserve
