#include "worker/model/safetensors_header.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "common/dtype.h"
#include "common/json.h"
#include "common/json_fields.h"
#include "common/status_macros.h"

namespace hybridserve {
namespace {

using nlohmann::json;

constexpr int64_t kLengthBytes = 8;
constexpr int64_t kMaxHeaderBytes = 100'000'000;  // The reference's own limit.
// Stands where JsonFields puts a file's name, until file and tensor do.
constexpr absl::string_view kEntry = "entry";
constexpr absl::string_view kEntryPrefix = "entry: ";

constexpr IntRange kNatural = {.min = 0};

// Models have hundreds of tensors with ten keys and values each.
constexpr JsonLimits kLimits = {
    .max_bytes = kMaxHeaderBytes, .max_depth = 8, .max_values = 4'000'000};

uint64_t LoadLittleEndian64(const char* bytes) {
  uint64_t value = 0;
  for (int i = 7; i >= 0; --i) {
    value = value << 8 | static_cast<uint8_t>(bytes[i]);
  }
  return value;
}

absl::Status Invalid(absl::string_view file, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(file, ": ", why));
}

absl::Status InvalidTensor(absl::string_view file, absl::string_view name,
                           absl::string_view why) {
  constexpr size_t kMaxLength = 100;
  const bool is_long = name.size() > kMaxLength;
  return Invalid(
      file, absl::StrCat("tensor ",
                         absl::Utf8SafeCHexEscape(name.substr(0, kMaxLength)),
                         is_long ? "...: " : ": ", why));
}

// The header's JSON text.
absl::StatusOr<absl::string_view> HeaderText(absl::Span<const char> bytes,
                                             absl::string_view file) {
  const auto file_bytes = static_cast<int64_t>(bytes.size());
  if (file_bytes < kLengthBytes) {
    return Invalid(file, absl::StrCat("truncated: ", file_bytes,
                                      " bytes hold no safetensors header"));
  }
  const uint64_t length = LoadLittleEndian64(bytes.data());
  if (length > static_cast<uint64_t>(kMaxHeaderBytes)) {
    return Invalid(file,
                   absl::StrCat("not a safetensors file: header of ", length,
                                " bytes; the limit is ", kMaxHeaderBytes));
  }
  if (static_cast<int64_t>(length) > file_bytes - kLengthBytes) {
    return Invalid(file, absl::StrCat("truncated: header of ", length,
                                      " bytes in a file of ", file_bytes));
  }
  return absl::string_view(bytes.data() + kLengthBytes, length);
}

absl::StatusOr<DType> ReadDType(const JsonFields& fields) {
  ASSIGN_OR_RETURN(const std::string name, fields.String("dtype"));
  if (name == "F32") return DType::kFloat32;
  if (name == "F16") return DType::kFloat16;
  if (name == "BF16") return DType::kBFloat16;
  return fields.Error(
      "dtype", absl::StrCat("\"", absl::Utf8SafeCHexEscape(name.substr(0, 20)),
                            "\" is not supported; supported: F32, F16, BF16"));
}

// A list of integers >= 0.
absl::StatusOr<std::vector<int64_t>> ReadList(const JsonFields& fields,
                                              absl::string_view field,
                                              size_t max_size) {
  const json* list = fields.Find(field);
  if (list == nullptr) return fields.Missing(field);
  if (!list->is_array() || list->size() > max_size) {
    return fields.Error(field, absl::StrCat("must be a list of at most ",
                                            max_size, " integers"));
  }
  std::vector<int64_t> values;
  for (const json& item : *list) {
    const absl::StatusOr<int64_t> value = IntFromJson(item, kNatural);
    if (!value.ok()) return fields.Error(field, value.status().message());
    values.push_back(*value);
  }
  return values;
}

// Bytes of a tensor; OutOfRange where they overflow.
absl::StatusOr<int64_t> BytesOf(const std::vector<int64_t>& shape,
                                DType dtype) {
  // A zero makes any product zero, however large the others are.
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
  int64_t bytes = SizeOf(dtype);
  for (const int64_t size : shape) {
    if (__builtin_mul_overflow(bytes, size, &bytes)) {
      return absl::OutOfRangeError("shape: its size overflows 2^63 bytes");
    }
  }
  return bytes;
}

// One tensor; its offset is relative to the data. Errors lack the file's name.
absl::StatusOr<SafetensorsEntry> ReadEntry(const std::string& name,
                                           const json& value) {
  constexpr size_t kMaxDimensions = 8;
  ASSIGN_OR_RETURN(const JsonFields fields, JsonFields::Create(value, kEntry));
  SafetensorsEntry entry = {.name = name};
  ASSIGN_OR_RETURN(entry.dtype, ReadDType(fields));
  ASSIGN_OR_RETURN(entry.shape, ReadList(fields, "shape", kMaxDimensions));
  ASSIGN_OR_RETURN(const std::vector<int64_t> offsets,
                   ReadList(fields, "data_offsets", 2));
  if (offsets.size() != 2 || offsets[0] > offsets[1]) {
    return fields.Error("data_offsets",
                        "must be two integers, the first not above the second");
  }
  entry.offset = offsets[0];
  entry.bytes = offsets[1] - offsets[0];
  ASSIGN_OR_RETURN(const int64_t bytes, BytesOf(entry.shape, entry.dtype));
  if (bytes != entry.bytes) {
    return fields.Error("data_offsets",
                        absl::StrCat("span ", entry.bytes,
                                     " bytes; shape and dtype need ", bytes));
  }
  return entry;
}

absl::Status CheckMetadata(const json& metadata, absl::string_view file) {
  if (!metadata.is_object()) {
    return Invalid(file, "__metadata__: must be an object of strings");
  }
  for (const json& value : metadata) {
    if (!value.is_string()) {
      return Invalid(file, "__metadata__: must be an object of strings");
    }
  }
  return absl::OkStatus();
}

// Entries, sorted by offset, cover [0, data_bytes) exactly.
absl::Status CheckCoverage(const std::vector<SafetensorsEntry>& entries,
                           int64_t data_bytes, absl::string_view file) {
  int64_t end = 0;
  for (const SafetensorsEntry& entry : entries) {
    if (entry.offset + entry.bytes > data_bytes) {
      return InvalidTensor(
          file, entry.name,
          absl::StrCat("truncated: ends at byte ", entry.offset + entry.bytes,
                       " of the data, which has ", data_bytes));
    }
    if (entry.offset != end) {
      return InvalidTensor(
          file, entry.name,
          absl::StrCat("data_offsets: begins at byte ", entry.offset, ", ",
                       entry.offset < end ? "inside another tensor, which ends"
                                          : "after a gap; the last one ends",
                       " at ", end));
    }
    end += entry.bytes;
  }
  if (end != data_bytes) {
    return Invalid(
        file, absl::StrCat(data_bytes - end, " bytes after the last tensor"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<SafetensorsEntry>> ParseSafetensorsHeader(
    absl::Span<const char> bytes, absl::string_view file) {
  ASSIGN_OR_RETURN(const absl::string_view text, HeaderText(bytes, file));
  const absl::StatusOr<json> header = ParseJson(text, kLimits);
  if (!header.ok()) {
    return Invalid(file, absl::StrCat("header: ", header.status().message()));
  }
  if (!header->is_object()) {
    return Invalid(file, "header: must be a JSON object");
  }
  std::vector<SafetensorsEntry> entries;
  for (const auto& [name, value] : header->items()) {
    if (name == "__metadata__") {
      RETURN_IF_ERROR(CheckMetadata(value, file));
      continue;
    }
    absl::StatusOr<SafetensorsEntry> entry = ReadEntry(name, value);
    if (!entry.ok()) {
      absl::string_view why = entry.status().message();
      absl::ConsumePrefix(&why, kEntryPrefix);
      return InvalidTensor(file, name, why);
    }
    entries.push_back(*std::move(entry));
  }
  std::sort(entries.begin(), entries.end(),
            [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
              return std::tie(a.offset, a.bytes, a.name) <
                     std::tie(b.offset, b.bytes, b.name);
            });
  const int64_t data_offset = kLengthBytes + static_cast<int64_t>(text.size());
  RETURN_IF_ERROR(CheckCoverage(
      entries, static_cast<int64_t>(bytes.size()) - data_offset, file));
  for (SafetensorsEntry& entry : entries) entry.offset += data_offset;
  return entries;
}

}  // namespace hybridserve
