#ifndef HYBRIDSERVE_COMMON_NUMBERS_BY_ID_H_
#define HYBRIDSERVE_COMMON_NUMBERS_BY_ID_H_

#include <cstdint>
#include <map>
#include <optional>

#include "nlohmann/json.hpp"

namespace hybridserve {

// What a JSON object says of ids: its names are integers from 0 to 2^32 - 1, as
// decimals without leading zeros, its values numbers. Nothing if it is another
// thing.
std::optional<std::map<uint32_t, double>> NumbersById(
    const nlohmann::json& value);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_NUMBERS_BY_ID_H_
