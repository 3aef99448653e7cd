#include "common/grpc_status.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/status_details.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/message.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/support/status.h"

namespace hybridserve {
namespace {

constexpr absl::string_view kTypePrefix = "type.googleapis.com/";
constexpr char kDomain[] = "hybridserve";

// proto3 strings must be UTF-8, or the status would not parse at its reader's.
std::string ToUtf8(absl::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool ascii = static_cast<unsigned char>(c) < 0x80;
    result.push_back(ascii ? c : '?');
  }
  return result;
}

bool IsUtf8(absl::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<unsigned char>(text[i++]);
    if (lead < 0x80) continue;
    if (lead < 0xc2 || lead > 0xf4) return false;
    const int tail = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    // The first byte of the tail rules out overlong forms, surrogates and
    // what is above U+10FFFF.
    unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    for (int t = 0; t < tail; ++t, ++i) {
      if (i >= text.size()) return false;
      const auto byte = static_cast<unsigned char>(text[i]);
      if (byte < low || byte > high) return false;
      low = 0x80;
      high = 0xbf;
    }
  }
  return true;
}

std::string TypeUrl(const google::protobuf::Message& message) {
  return absl::StrCat(kTypePrefix, message.GetDescriptor()->full_name());
}

absl::Status WithDetail(absl::Status status,
                        const google::protobuf::Message& detail) {
  status.SetPayload(TypeUrl(detail), absl::Cord(detail.SerializeAsString()));
  return status;
}

google::rpc::BadRequest BadRequestOf(const std::string& field,
                                     const std::string& message) {
  google::rpc::BadRequest bad_request;
  auto& violation = *bad_request.add_field_violations();
  violation.set_field(field);
  violation.set_description(message);
  return bad_request;
}

google::rpc::RetryInfo RetryInfoOf(absl::Duration delay) {
  google::rpc::RetryInfo retry_info;
  absl::Duration rest;
  retry_info.mutable_retry_delay()->set_seconds(
      absl::IDivDuration(delay, absl::Seconds(1), &rest));
  retry_info.mutable_retry_delay()->set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  return retry_info;
}

// Adds one of google.rpc.Status's details to `status`.
void AddPayload(const google::protobuf::Any& detail, absl::Status& status) {
  google::rpc::BadRequest bad_request;
  google::rpc::RetryInfo retry_info;
  if (detail.Is<google::rpc::BadRequest>()) {
    if (detail.UnpackTo(&bad_request) &&
        bad_request.field_violations_size() > 0) {
      status.SetPayload(kFieldPayloadUrl,
                        absl::Cord(bad_request.field_violations(0).field()));
    }
  } else if (detail.Is<google::rpc::RetryInfo>()) {
    if (detail.UnpackTo(&retry_info)) {
      status = WithRetryDelay(
          std::move(status),
          absl::Seconds(retry_info.retry_delay().seconds()) +
              absl::Nanoseconds(retry_info.retry_delay().nanos()));
    }
  } else if (!detail.type_url().empty()) {
    status.SetPayload(detail.type_url(), absl::Cord(detail.value()));
  }
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  std::string message(status.message());
  if (!IsUtf8(message)) message = ToUtf8(message);

  google::rpc::Status details;
  details.set_code(static_cast<int>(status.code()));
  details.set_message(message);
  if (const auto field = FieldOf(status); field.has_value()) {
    details.add_details()->PackFrom(BadRequestOf(*field, message));
  }
  if (const auto delay = RetryDelayOf(status); delay.has_value()) {
    details.add_details()->PackFrom(RetryInfoOf(*delay));
  }
  status.ForEachPayload(
      [&](absl::string_view type_url, const absl::Cord& value) {
        if (!absl::StartsWith(type_url, kTypePrefix)) return;
        google::protobuf::Any& detail = *details.add_details();
        detail.set_type_url(std::string{type_url});
        absl::CopyCordToString(value, detail.mutable_value());
      });
  return grpc::Status(
      static_cast<grpc::StatusCode>(status.code()), message,
      details.details_size() > 0 ? details.SerializeAsString() : "");
}

absl::Status FromGrpcStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const int code = status.error_code();
  const bool known =
      code > 0 && code <= static_cast<int>(grpc::StatusCode::UNAUTHENTICATED);
  absl::Status result(
      known ? static_cast<absl::StatusCode>(code) : absl::StatusCode::kUnknown,
      status.error_message());
  google::rpc::Status details;
  if (details.ParseFromString(status.error_details())) {
    for (const google::protobuf::Any& detail : details.details()) {
      AddPayload(detail, result);
    }
  }
  return result;
}

absl::Status WithResourceInfo(absl::Status status, absl::string_view type,
                              absl::string_view name) {
  google::rpc::ResourceInfo detail;
  detail.set_resource_type(std::string{type});
  detail.set_resource_name(std::string{name});
  detail.set_description(std::string{status.message()});
  return WithDetail(std::move(status), detail);
}

absl::Status WithErrorInfo(absl::Status status, absl::string_view reason) {
  google::rpc::ErrorInfo detail;
  detail.set_reason(std::string{reason});
  detail.set_domain(kDomain);
  return WithDetail(std::move(status), detail);
}

absl::Status WithQuotaFailure(absl::Status status, absl::string_view subject) {
  google::rpc::QuotaFailure detail;
  auto& violation = *detail.add_violations();
  violation.set_subject(std::string{subject});
  violation.set_description(std::string{status.message()});
  return WithDetail(std::move(status), detail);
}

}  // namespace hybridserve
