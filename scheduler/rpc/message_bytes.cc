#include "scheduler/rpc/message_bytes.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/status_details.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/message.h"
#include "google/protobuf/wire_format_lite.h"
#include "grpcpp/support/slice.h"
#include "scheduler/tokenizer/utf8.h"

namespace hybridserve {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::internal::WireFormatLite;

// Far more than any request needs: token ids are the most, and a model's limit
// is below.
constexpr int64_t kMaxValues = int64_t{1} << 20;
constexpr int64_t kMaxMessages = 1024;

absl::Status TooMany() {
  return absl::InvalidArgumentError(absl::StrCat("the request has more than ",
                                                 kMaxValues, " values or ",
                                                 kMaxMessages, " parts"));
}

std::string ToString(const grpc::ByteBuffer& bytes) {
  std::vector<grpc::Slice> slices;
  std::string result;
  if (!bytes.Dump(&slices).ok()) return result;
  for (const grpc::Slice& slice : slices) {
    result.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return result;
}

// A look at a message's wire format before it is parsed, when its fields may
// take many times the memory of its bytes.
class WireCheck {
 public:
  // What is wrong with the message; nothing if it is fine, or if the bytes are
  // no message, which parsing will find at the same place. Nesting is that of
  // the message types, which do not nest in themselves.
  std::optional<absl::Status> Check(const Descriptor& descriptor,
                                    absl::string_view bytes,
                                    const std::string& path);

 private:
  // Counts values. False if there are too many now.
  bool Count(int64_t values, int64_t messages);
  std::optional<absl::Status> CheckContent(const FieldDescriptor& field,
                                           absl::string_view content,
                                           const std::string& name);

  int64_t values_ = 0;
  int64_t messages_ = 0;
};

bool WireCheck::Count(int64_t values, int64_t messages) {
  values_ += values;
  messages_ += messages;
  return values_ <= kMaxValues && messages_ <= kMaxMessages;
}

std::optional<absl::Status> WireCheck::Check(const Descriptor& descriptor,
                                             absl::string_view bytes,
                                             const std::string& path) {
  google::protobuf::io::CodedInputStream input(
      reinterpret_cast<const uint8_t*>(bytes.data()),
      static_cast<int>(bytes.size()));
  while (const uint32_t tag = input.ReadTag()) {
    if (!Count(1, 0)) return TooMany();
    const auto type = WireFormatLite::GetTagWireType(tag);
    // Not in proto3, and what is in one would not be counted.
    if (type == WireFormatLite::WIRETYPE_START_GROUP) {
      return absl::InvalidArgumentError("the request has a group");
    }
    const FieldDescriptor* field =
        descriptor.FindFieldByNumber(WireFormatLite::GetTagFieldNumber(tag));
    if (field == nullptr || type != WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
      if (!WireFormatLite::SkipField(&input, tag)) return std::nullopt;
      continue;
    }
    uint32_t size = 0;
    if (!input.ReadVarint32(&size)) return std::nullopt;
    const int begin = input.CurrentPosition();
    if (!input.Skip(static_cast<int>(size))) return std::nullopt;
    std::optional<absl::Status> bad = CheckContent(
        *field, bytes.substr(begin, size), absl::StrCat(path, field->name()));
    if (bad.has_value()) return bad;
  }
  return std::nullopt;
}

std::optional<absl::Status> WireCheck::CheckContent(
    const FieldDescriptor& field, absl::string_view content,
    const std::string& name) {
  if (field.type() == FieldDescriptor::TYPE_MESSAGE) {
    if (!Count(0, 1)) return TooMany();
    return Check(*field.message_type(), content, absl::StrCat(name, "."));
  }
  if (field.type() == FieldDescriptor::TYPE_STRING) {
    const auto offset = FindInvalidUtf8(content);
    if (!offset.has_value()) return std::nullopt;
    return InvalidFieldError(
        name, absl::StrCat("is not UTF-8: invalid byte at offset ", *offset));
  }
  if (field.type() == FieldDescriptor::TYPE_BYTES) return std::nullopt;
  // Packed numbers; of a varint's bytes only the last has no high bit.
  const auto ends = std::count_if(content.begin(), content.end(),
                                  [](char c) { return (c & 0x80) == 0; });
  if (!Count(ends, 0)) return TooMany();
  return std::nullopt;
}

}  // namespace

absl::Status ParseMessage(const grpc::ByteBuffer& bytes,
                          google::protobuf::Message& message) {
  // Looked at before parsing, which would log each bad field.
  const std::string contiguous = ToString(bytes);
  const std::optional<absl::Status> bad =
      WireCheck().Check(*message.GetDescriptor(), contiguous, "");
  if (bad.has_value()) return *bad;
  if (message.ParseFromString(contiguous)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the request is no ", message.GetDescriptor()->full_name()));
}

grpc::ByteBuffer SerializeMessage(const google::protobuf::Message& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace hybridserve
