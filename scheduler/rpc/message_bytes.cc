#include "scheduler/rpc/message_bytes.h"

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

std::string ToString(const grpc::ByteBuffer& bytes) {
  std::vector<grpc::Slice> slices;
  std::string result;
  if (!bytes.Dump(&slices).ok()) return result;
  for (const grpc::Slice& slice : slices) {
    result.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return result;
}

// What is wrong with the text fields of a message whose wire format is
// `bytes`; nothing if they are fine or the bytes are no message. Nesting is
// that of the message types, which do not nest in themselves.
std::optional<absl::Status> FindBadText(const Descriptor& descriptor,
                                        absl::string_view bytes,
                                        const std::string& path) {
  google::protobuf::io::CodedInputStream input(
      reinterpret_cast<const uint8_t*>(bytes.data()),
      static_cast<int>(bytes.size()));
  while (const uint32_t tag = input.ReadTag()) {
    const FieldDescriptor* field =
        descriptor.FindFieldByNumber(WireFormatLite::GetTagFieldNumber(tag));
    if (field == nullptr || WireFormatLite::GetTagWireType(tag) !=
                                WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
      if (!WireFormatLite::SkipField(&input, tag)) return std::nullopt;
      continue;
    }
    uint32_t size = 0;
    if (!input.ReadVarint32(&size)) return std::nullopt;
    const int begin = input.CurrentPosition();
    if (!input.Skip(static_cast<int>(size))) return std::nullopt;
    const absl::string_view content = bytes.substr(begin, size);
    const std::string name = absl::StrCat(path, field->name());
    std::optional<absl::Status> bad;
    if (field->type() == FieldDescriptor::TYPE_STRING) {
      if (const auto offset = FindInvalidUtf8(content); offset.has_value()) {
        bad = InvalidFieldError(
            name,
            absl::StrCat("is not UTF-8: invalid byte at offset ", *offset));
      }
    } else if (field->type() == FieldDescriptor::TYPE_MESSAGE) {
      bad =
          FindBadText(*field->message_type(), content, absl::StrCat(name, "."));
    }
    if (bad.has_value()) return bad;
  }
  return std::nullopt;
}

}  // namespace

absl::Status ParseMessage(const grpc::ByteBuffer& bytes,
                          google::protobuf::Message& message) {
  // Looked at before parsing, which would log each bad field.
  const std::string contiguous = ToString(bytes);
  const std::optional<absl::Status> bad_text =
      FindBadText(*message.GetDescriptor(), contiguous, "");
  if (bad_text.has_value()) return *bad_text;
  if (message.ParseFromString(contiguous)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the request is no ", message.GetDescriptor()->full_name()));
}

grpc::ByteBuffer SerializeMessage(const google::protobuf::Message& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace hybridserve
