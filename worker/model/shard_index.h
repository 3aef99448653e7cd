#ifndef HYBRIDSERVE_WORKER_MODEL_SHARD_INDEX_H_
#define HYBRIDSERVE_WORKER_MODEL_SHARD_INDEX_H_

#include <string>

#include "absl/container/btree_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hybridserve {

inline constexpr char kShardIndexFile[] = "model.safetensors.index.json";

// Which file holds a tensor, by the tensor's name as the files spell it.
using ShardIndex = absl::btree_map<std::string, std::string>;

// Reads the text of a model.safetensors.index.json, from an untrusted source.
// InvalidArgument, naming the file and the field, unless weight_map maps names
// to *.safetensors files of the same folder.
absl::StatusOr<ShardIndex> ParseShardIndex(absl::string_view json);

// The folder's; messages begin with its path if it cannot be read.
absl::StatusOr<ShardIndex> ReadShardIndex(const std::string& folder);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_MODEL_SHARD_INDEX_H_
