#include "worker/model/safetensors_source.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/functional/function_ref.h"
#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "common/dtype.h"
#include "common/status_macros.h"
#include "glog/logging.h"
#include "worker/model/mapped_file.h"
#include "worker/model/safetensors_header.h"
#include "worker/model/shard_index.h"

namespace hybridserve {
namespace {

namespace fs = std::filesystem;

constexpr char kSingleFile[] = "model.safetensors";

bool Exists(const std::string& folder, absl::string_view file) {
  std::error_code error;
  return fs::exists(absl::StrCat(folder, "/", file), error);
}

// Names of the folder's files that end in `suffix`, sorted.
std::vector<std::string> FilesEndingIn(const std::string& folder,
                                       absl::string_view suffix) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    std::string name = it->path().filename().string();
    if (absl::EndsWith(name, suffix)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

absl::Status NoSafetensors(const std::string& folder) {
  for (const absl::string_view suffix : {".bin", ".pt", ".pth", ".ckpt"}) {
    const std::vector<std::string> files = FilesEndingIn(folder, suffix);
    if (files.empty()) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        folder, ": ", files.front(),
        " is a PyTorch file, which can run code and is not read; convert it: "
        "transformers' save_pretrained(FOLDER) writes model.safetensors"));
  }
  return absl::NotFoundError(absl::StrCat(
      folder,
      ": no model.safetensors, model.safetensors.index.json or other "
      "*.safetensors file"));
}

}  // namespace

std::string CanonicalTensorName(absl::string_view name,
                                absl::string_view prefix) {
  absl::string_view rest = absl::StripPrefix(name, "model.");
  if (absl::StartsWith(rest, "lm_head.")) return absl::StrCat(rest);
  rest = absl::StripPrefix(rest, "decoder.");
  return absl::StrCat(prefix, rest);
}

absl::StatusOr<std::unique_ptr<SafetensorsSource>> SafetensorsSource::Open(
    const std::string& folder, absl::string_view prefix) {
  // Not make_unique: the constructor is private.
  std::unique_ptr<SafetensorsSource> source =
      absl::WrapUnique(new SafetensorsSource(prefix));
  if (Exists(folder, kSingleFile)) {
    source->origin_ = kSingleFile;
    RETURN_IF_ERROR(source->AddFile(folder, kSingleFile));
  } else if (Exists(folder, kShardIndexFile)) {
    source->origin_ = kShardIndexFile;
    RETURN_IF_ERROR(source->AddShards(folder));
  } else {
    const std::vector<std::string> files =
        FilesEndingIn(folder, ".safetensors");
    if (files.empty()) return NoSafetensors(folder);
    source->origin_ = files.size() == 1 ? files[0] : "*.safetensors";
    for (const std::string& file : files) {
      RETURN_IF_ERROR(source->AddFile(folder, file));
    }
  }
  return source;
}

absl::Status SafetensorsSource::AddFile(const std::string& folder,
                                        const std::string& file) {
  ASSIGN_OR_RETURN(MappedFile mapped,
                   MappedFile::Open(absl::StrCat(folder, "/", file)));
  ASSIGN_OR_RETURN(std::vector<SafetensorsEntry> entries,
                   ParseSafetensorsHeader(mapped.bytes(), file));
  for (SafetensorsEntry& entry : entries) {
    Location location = {.info = {.dtype = entry.dtype,
                                  .shape = std::move(entry.shape),
                                  .origin = file},
                         .file = files_.size(),
                         .offset = entry.offset};
    const std::string name = CanonicalTensorName(entry.name, prefix_);
    const auto [it, is_new] = tensors_.try_emplace(name, std::move(location));
    if (!is_new) {
      return absl::InvalidArgumentError(absl::StrCat(
          file, ": tensor ", absl::Utf8SafeCHexEscape(entry.name),
          ": occurs twice, the first time in ", it->second.info.origin));
    }
  }
  files_.push_back(std::move(mapped));
  return absl::OkStatus();
}

absl::Status SafetensorsSource::AddShards(const std::string& folder) {
  ASSIGN_OR_RETURN(const ShardIndex index, ReadShardIndex(folder));
  absl::btree_set<std::string> files;
  for (const auto& [name, file] : index) files.insert(file);
  for (const std::string& file : files) {
    RETURN_IF_ERROR(AddFile(folder, file));
  }
  absl::btree_set<std::string> listed;
  for (const auto& [name, file] : index) {
    const std::string canonical = CanonicalTensorName(name, prefix_);
    const auto it = tensors_.find(canonical);
    if (it == tensors_.end() || it->second.info.origin != file) {
      return absl::InvalidArgumentError(
          absl::StrCat(kShardIndexFile, ": tensor ",
                       absl::Utf8SafeCHexEscape(name), ": is not in ", file));
    }
    listed.insert(canonical);
  }
  for (const auto& [name, location] : tensors_) {
    if (!listed.contains(name)) {
      return absl::InvalidArgumentError(absl::StrCat(
          location.info.origin, ": tensor ", absl::Utf8SafeCHexEscape(name),
          ": is not in ", kShardIndexFile));
    }
  }
  return absl::OkStatus();
}

std::vector<std::string> SafetensorsSource::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, location] : tensors_) names.push_back(name);
  return names;
}

const TensorInfo* SafetensorsSource::Find(absl::string_view name) const {
  const auto it = tensors_.find(name);
  return it == tensors_.end() ? nullptr : &it->second.info;
}

absl::Status SafetensorsSource::ReadRows(
    absl::string_view name, int64_t first_row, int64_t num_rows,
    absl::FunctionRef<absl::Status(absl::Span<const char>)> use) const {
  const auto it = tensors_.find(name);
  CHECK(it != tensors_.end()) << name;
  const Location& location = it->second;
  const TensorInfo& info = location.info;
  CHECK(first_row >= 0 && num_rows >= 0 && !info.shape.empty() &&
        first_row <= info.shape[0] - num_rows)
      << name << " rows " << first_row << "+" << num_rows;
  const int64_t row_bytes = info.RowElements() * SizeOf(info.dtype);
  const int64_t offset = location.offset + first_row * row_bytes;
  const int64_t size = num_rows * row_bytes;
  const MappedFile& file = files_[location.file];
  absl::Status status = use(file.bytes().subspan(offset, size));
  file.Drop(offset, size);
  return status;
}

}  // namespace hybridserve
