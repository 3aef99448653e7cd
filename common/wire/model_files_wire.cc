#include "common/wire/model_files_wire.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/sha256.h"
#include "common/status_details.h"

namespace hybridserve {
namespace {

namespace pb = worker::v1;

const ModelFileField* FindField(pb::ModelFile file) {
  for (const ModelFileField& field : ModelFileFields()) {
    if (field.wire == file) return &field;
  }
  return nullptr;
}

}  // namespace

const std::array<ModelFileField, 7>& ModelFileFields() {
  static constexpr std::array<ModelFileField, 7> kFields = {{
      {"config.json", pb::MODEL_FILE_CONFIG_JSON, &ModelFiles::config_json},
      {"generation_config.json", pb::MODEL_FILE_GENERATION_CONFIG_JSON,
       &ModelFiles::generation_config_json},
      {"tokenizer.json", pb::MODEL_FILE_TOKENIZER_JSON,
       &ModelFiles::tokenizer_json},
      {"tokenizer_config.json", pb::MODEL_FILE_TOKENIZER_CONFIG_JSON,
       &ModelFiles::tokenizer_config_json},
      {"special_tokens_map.json", pb::MODEL_FILE_SPECIAL_TOKENS_MAP_JSON,
       &ModelFiles::special_tokens_map_json},
      {"vocab.json", pb::MODEL_FILE_VOCAB_JSON, &ModelFiles::vocab_json},
      {"merges.txt", pb::MODEL_FILE_MERGES_TXT, &ModelFiles::merges_txt},
  }};
  return kFields;
}

std::vector<pb::FileChunk> ModelFilesToWire(const ModelFiles& files) {
  std::vector<pb::FileChunk> chunks;
  for (const ModelFileField& field : ModelFileFields()) {
    const std::string& content = files.*field.content;
    constexpr size_t kChunk = ModelFilesAssembler::kMaxChunkBytes;
    for (size_t offset = 0; offset < content.size(); offset += kChunk) {
      pb::FileChunk& chunk = chunks.emplace_back();
      chunk.set_file(field.wire);
      chunk.set_offset(offset);
      chunk.set_data(content.substr(offset, kChunk));
    }
  }
  return chunks;
}

std::vector<pb::FileDigest> DigestsOf(const ModelFiles& files) {
  std::vector<pb::FileDigest> digests;
  for (const ModelFileField& field : ModelFileFields()) {
    const std::string& content = files.*field.content;
    if (content.empty()) continue;
    pb::FileDigest& digest = digests.emplace_back();
    digest.set_file(field.wire);
    digest.set_bytes(content.size());
    digest.set_sha256(Sha256Hex(content));
  }
  return digests;
}

absl::Status ModelFilesAssembler::Add(const pb::FileChunk& chunk) {
  const ModelFileField* field = FindField(chunk.file());
  if (field == nullptr) {
    return InvalidFieldError("file_chunk.file",
                             absl::StrCat("unknown value ", chunk.file()));
  }
  std::string& content = files_.*field->content;
  if (chunk.offset() != content.size()) {
    return InvalidFieldError("file_chunk.offset",
                             absl::StrCat(field->name, ": is ", chunk.offset(),
                                          " and not ", content.size()));
  }
  const auto size = static_cast<int64_t>(chunk.data().size());
  if (size > kMaxChunkBytes) {
    return InvalidFieldError("file_chunk.data",
                             absl::StrCat(field->name, ": ", size,
                                          " bytes; at most ", kMaxChunkBytes));
  }
  if (size > kMaxTotalBytes - total_bytes_) {
    return InvalidFieldError("file_chunk.data",
                             absl::StrCat(field->name,
                                          ": all files together are "
                                          "more than ",
                                          kMaxTotalBytes, " bytes"));
  }
  content += chunk.data();
  total_bytes_ += size;
  return absl::OkStatus();
}

absl::StatusOr<ModelFiles> ModelFilesAssembler::Finish(
    const pb::Register& registration) {
  const ModelFiles files = std::exchange(files_, {});
  total_bytes_ = 0;
  std::set<pb::ModelFile> named;
  for (const pb::FileDigest& digest : registration.files()) {
    const ModelFileField* field = FindField(digest.file());
    if (field == nullptr || !named.insert(digest.file()).second) {
      return InvalidFieldError(
          "register.files",
          absl::StrCat("unknown or there twice: ", digest.file()));
    }
    const std::string& content = files.*field->content;
    if (digest.bytes() != content.size() ||
        digest.sha256() != Sha256Hex(content)) {
      return InvalidFieldError(
          "register.files", absl::StrCat(field->name, ": the ", content.size(),
                                         " bytes that came are not the ",
                                         digest.bytes(), " that were sent"));
    }
  }
  for (const ModelFileField& field : ModelFileFields()) {
    if (!(files.*field.content).empty() && !named.contains(field.wire)) {
      return InvalidFieldError("register.files",
                               absl::StrCat(field.name, " is not named"));
    }
  }
  return files;
}

}  // namespace hybridserve
