#include "scheduler/tokenizer/vocab_json.h"

#include <limits>
#include <vector>

#include "common/status_macros.h"

namespace hybridserve {

absl::StatusOr<absl::flat_hash_map<std::string, int32_t>> ParseVocab(
    const JsonView& json) {
  ASSIGN_OR_RETURN(const std::vector<JsonView::Member> members, json.Members());
  absl::flat_hash_map<std::string, int32_t> vocab;
  vocab.reserve(members.size());
  for (const JsonView::Member& member : members) {
    ASSIGN_OR_RETURN(
        const int64_t id,
        member.value.Integer(0, std::numeric_limits<int32_t>::max()));
    vocab.emplace(member.key, static_cast<int32_t>(id));
  }
  return vocab;
}

}  // namespace hybridserve
