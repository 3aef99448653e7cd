#include "worker/model/shard_index.h"

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/json.h"
#include "common/json_fields.h"
#include "common/status_macros.h"
#include "worker/model/mapped_file.h"

namespace hybridserve {
namespace {

using nlohmann::json;

// A name in the same folder, not a way out of it.
bool IsShardName(absl::string_view file) {
  return absl::EndsWith(file, ".safetensors") &&
         !absl::StrContains(file, '/') && !absl::StrContains(file, '\0') &&
         !absl::StartsWith(file, ".");
}

}  // namespace

absl::StatusOr<ShardIndex> ParseShardIndex(absl::string_view json_text) {
  const absl::StatusOr<json> object =
      ParseJson(json_text, {.max_depth = 8, .max_values = 4'000'000});
  if (!object.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(kShardIndexFile, ": ", object.status().message()));
  }
  ASSIGN_OR_RETURN(const JsonFields fields,
                   JsonFields::Create(*object, kShardIndexFile));
  const json* weight_map = fields.Find("weight_map");
  if (weight_map == nullptr) return fields.Missing("weight_map");
  if (!weight_map->is_object() || weight_map->empty()) {
    return fields.Error("weight_map", "must be an object with tensors");
  }
  ShardIndex index;
  for (const auto& [name, file] : weight_map->items()) {
    if (!file.is_string() || !IsShardName(file.get<std::string>())) {
      return fields.Error(
          "weight_map",
          absl::StrCat("tensor ", absl::Utf8SafeCHexEscape(name),
                       ": must name a *.safetensors file of this folder"));
    }
    index[name] = file.get<std::string>();
  }
  return index;
}

absl::StatusOr<ShardIndex> ReadShardIndex(const std::string& folder) {
  ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(absl::StrCat(
                                              folder, "/", kShardIndexFile)));
  return ParseShardIndex(
      absl::string_view(file.bytes().data(), file.bytes().size()));
}

}  // namespace hybridserve
