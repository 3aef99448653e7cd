#include "worker/model/model_folder.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/dtype.h"
#include "common/model_config.h"
#include "common/model_config_json.h"
#include "common/status_macros.h"
#include "common/worker_info.h"
#include "worker/model/mapped_file.h"
#include "worker/model/model_tensors.h"
#include "worker/model/random_source.h"
#include "worker/model/safetensors_source.h"
#include "worker/model/tensor_source.h"

namespace hybridserve {
namespace {

namespace fs = std::filesystem;

// Tokenizers of large vocabularies take some 20 MB.
constexpr int64_t kMaxTextFileBytes = int64_t{64} << 20;

absl::StatusOr<std::string> ReadTextFile(const std::string& folder,
                                         absl::string_view file) {
  ASSIGN_OR_RETURN(const MappedFile mapped,
                   MappedFile::Open(absl::StrCat(folder, "/", file)));
  const auto size = static_cast<int64_t>(mapped.bytes().size());
  if (size > kMaxTextFileBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        mapped.path(), ": ", size, " bytes; the limit is ", kMaxTextFileBytes));
  }
  return std::string(mapped.bytes().data(), mapped.bytes().size());
}

// Empty if there is no such file.
absl::StatusOr<std::string> ReadOptionalTextFile(const std::string& folder,
                                                 absl::string_view file) {
  absl::StatusOr<std::string> text = ReadTextFile(folder, file);
  if (absl::IsNotFound(text.status())) return "";
  return text;
}

absl::StatusOr<ModelFiles> ReadModelFiles(const std::string& folder) {
  ModelFiles files;
  const std::pair<absl::string_view, std::string*> optional_files[] = {
      {"generation_config.json", &files.generation_config_json},
      {"tokenizer.json", &files.tokenizer_json},
      {"tokenizer_config.json", &files.tokenizer_config_json},
      {"special_tokens_map.json", &files.special_tokens_map_json},
      {"vocab.json", &files.vocab_json},
      {"merges.txt", &files.merges_txt},
  };
  ASSIGN_OR_RETURN(files.config_json, ReadTextFile(folder, "config.json"));
  for (const auto& [file, text] : optional_files) {
    ASSIGN_OR_RETURN(*text, ReadOptionalTextFile(folder, file));
  }
  return files;
}

absl::Status CheckIsFolder(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    return absl::NotFoundError(absl::StrCat(path, ": no such model folder"));
  }
  if (error) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": ", error.message()));
  }
  if (!fs::is_directory(status)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": not a folder"));
  }
  return absl::OkStatus();
}

}  // namespace

std::string ModelFolderName(const std::string& path) {
  std::error_code error;
  fs::path full = fs::weakly_canonical(path, error);
  if (error) full = path;
  return full.filename().string();
}
absl::StatusOr<ModelFolder> OpenModelFolder(
    const std::string& path, std::optional<uint64_t> random_weights) {
  RETURN_IF_ERROR(CheckIsFolder(path));
  ModelFolder folder;
  ASSIGN_OR_RETURN(folder.files, ReadModelFiles(path));
  ASSIGN_OR_RETURN(folder.config, ParseModelConfig(folder.files.config_json));
  if (random_weights.has_value()) {
    folder.tensors =
        std::make_unique<RandomSource>(folder.config, *random_weights);
  } else {
    ASSIGN_OR_RETURN(folder.tensors, SafetensorsSource::Open(
                                         path, TensorPrefix(folder.config)));
  }
  RETURN_IF_ERROR(CheckTensors(*folder.tensors, folder.config));
  // A layer's matrix speaks for all; config.json may say something else.
  const std::string sample = TensorName(folder.config, LinearWeight::kFc1, 0);
  folder.checkpoint_dtype = folder.tensors->Find(sample)->dtype;
  return folder;
}

}  // namespace hybridserve
