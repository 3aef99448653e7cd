#ifndef HYBRIDSERVE_SCHEDULER_TOKENIZER_VOCAB_JSON_H_
#define HYBRIDSERVE_SCHEDULER_TOKENIZER_VOCAB_JSON_H_

#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "scheduler/tokenizer/json_view.h"

namespace hybridserve {

// Reads {"token": id, ...}, ids in [0, 2^31).
absl::StatusOr<absl::flat_hash_map<std::string, int32_t>> ParseVocab(
    const JsonView& json);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_TOKENIZER_VOCAB_JSON_H_
