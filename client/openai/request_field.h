#ifndef HYBRIDSERVE_CLIENT_OPENAI_REQUEST_FIELD_H_
#define HYBRIDSERVE_CLIENT_OPENAI_REQUEST_FIELD_H_

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

// One field of a request body, of one type. The errors are InvalidArgument and
// carry the field (status_details.h).

namespace hybridserve::openai {

// An integer from `min` to `max`.
absl::StatusOr<int64_t> ReadInt(absl::string_view field,
                                const nlohmann::json& value, int64_t min,
                                int64_t max);

// Any integer of 64 bits, with a sign or without; a negative one as its two's
// complement.
absl::StatusOr<uint64_t> ReadSeed(absl::string_view field,
                                  const nlohmann::json& value);

absl::StatusOr<double> ReadNumber(absl::string_view field,
                                  const nlohmann::json& value);
absl::StatusOr<bool> ReadBool(absl::string_view field,
                              const nlohmann::json& value);
absl::StatusOr<std::string> ReadString(absl::string_view field,
                                       const nlohmann::json& value);

// A string, or a list of them.
absl::StatusOr<std::vector<std::string>> ReadStrings(
    absl::string_view field, const nlohmann::json& value);

// A list of integers from 0 to 2^31 - 1, not empty.
absl::StatusOr<std::vector<int32_t>> ReadTokenIds(absl::string_view field,
                                                  const nlohmann::json& value);

// An object of numbers, whose names are integers from 0 to 2^32 - 1.
absl::StatusOr<std::map<uint32_t, double>> ReadNumbersById(
    absl::string_view field, const nlohmann::json& value);

}  // namespace hybridserve::openai

#endif  // HYBRIDSERVE_CLIENT_OPENAI_REQUEST_FIELD_H_
