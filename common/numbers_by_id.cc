#include "common/numbers_by_id.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace hybridserve {

std::optional<std::map<uint32_t, double>> NumbersById(
    const nlohmann::json& value) {
  if (!value.is_object()) return std::nullopt;
  std::map<uint32_t, double> numbers;
  for (const auto& [name, number] : value.items()) {
    uint32_t id = 0;
    if (!absl::SimpleAtoi(name, &id) || absl::StrCat(id) != name ||
        !number.is_number()) {
      return std::nullopt;
    }
    numbers[id] = number.get<double>();
  }
  return numbers;
}

}  // namespace hybridserve
