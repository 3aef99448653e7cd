#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/openai/api_error.h"
#include "client/openai/chat_request.h"
#include "client/openai/choice_plan.h"
#include "client/openai/completion_request.h"
#include "glog/logging.h"

namespace hybridserve::openai {
namespace {

// What is wrong with a body can be told to its sender.
void CheckRefusal(const absl::Status& status) {
  CHECK(absl::IsInvalidArgument(status)) << status;
  const ApiError error = ToApiError(status);
  CHECK_EQ(error.http_status, 400);
  CHECK(!error.message.empty());
  CHECK(!ToBody(error).empty());
}

void CheckCompletion(absl::string_view body) {
  const auto request = ParseCompletionRequest(body);
  if (!request.ok()) return CheckRefusal(request.status());
  CHECK(!request->prompts.empty());
  CHECK(!request->fields.options.model.empty());
  const auto plan = PlanChoices(request->fields, request->prompts);
  if (!plan.ok()) return CheckRefusal(plan.status());
  CHECK_EQ(static_cast<int64_t>(plan->size()),
           static_cast<int64_t>(request->prompts.size()) *
               request->fields.choices_of_prompt);
  for (const v1::GenerateStreamRequest& choice : *plan) {
    CHECK_NE(choice.input_case(), v1::GenerateStreamRequest::INPUT_NOT_SET);
  }
}

void CheckChat(absl::string_view body) {
  const auto request = ParseChatRequest(body);
  if (!request.ok()) return CheckRefusal(request.status());
  CHECK(!request->messages.empty());
}

}  // namespace
}  // namespace hybridserve::openai

// The input is the body of a completion and of a chat. Whatever it is, it makes
// requests for the server, or the reason why not.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view body(reinterpret_cast<const char*>(data), size);
  hybridserve::openai::CheckCompletion(body);
  hybridserve::openai::CheckChat(body);
  return 0;
}
