#ifndef HYBRIDSERVE_COMMON_MODEL_CONFIG_FIELDS_H_
#define HYBRIDSERVE_COMMON_MODEL_CONFIG_FIELDS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/json_fields.h"
#include "common/model_config.h"

// What the families of models share of reading a config.json. Errors are
// InvalidArgument and name file and field.
namespace hybridserve {

// Far beyond any model, and small enough that no product of them overflows.
inline constexpr IntRange kLayerRange = {.min = 1, .max = 4096};
inline constexpr IntRange kWidthRange = {.min = 1, .max = int64_t{1} << 20};
inline constexpr IntRange kVocabRange = {.min = 1, .max = int64_t{1} << 24};
inline constexpr IntRange kPositionRange = {.min = 1, .max = int64_t{1} << 24};

// That all of the field "architectures", if it is there, are `supported`; the
// first is named in the error.
absl::Status CheckArchitectures(const JsonFields& fields,
                                absl::Span<const absl::string_view> supported);

// That `value` of `field` is a multiple of `part`, the value of `part_field`.
absl::Status CheckMultiple(const JsonFields& fields, absl::string_view field,
                           int64_t value, absl::string_view part_field,
                           int64_t part);

absl::StatusOr<bool> ReadBool(const JsonFields& fields, absl::string_view field,
                              bool default_value);

// -1: none.
struct TokenIdDefaults {
  int64_t bos = -1;
  int64_t eos = -1;
  int64_t pad = -1;
};
// The ids of special tokens; config.vocab_size is there.
absl::Status ReadTokenIds(const JsonFields& fields,
                          const TokenIdDefaults& defaults, ModelConfig& config);

// "relu", "gelu" or "silu" in `field`; `default_value` if it is absent.
absl::Status ReadActivation(const JsonFields& fields, absl::string_view field,
                            ActivationFunction default_value,
                            ModelConfig& config);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_MODEL_CONFIG_FIELDS_H_
