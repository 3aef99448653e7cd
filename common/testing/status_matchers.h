#ifndef HYBRIDSERVE_COMMON_TESTING_STATUS_MATCHERS_H_
#define HYBRIDSERVE_COMMON_TESTING_STATUS_MATCHERS_H_

#include <ostream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"

namespace hybridserve {

// The status in a Status or StatusOr, so that matchers take both.
inline const absl::Status& StatusOf(const absl::Status& status) {
  return status;
}
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& status_or) {
  return status_or.status();
}

// Matches a Status or StatusOr that is OK; explains itself by the status.
MATCHER(IsOk, negation ? "isn't OK" : "is OK") {
  const absl::Status& status = StatusOf(arg);
  if (!status.ok()) *result_listener << "which is " << status;
  return status.ok();
}

// Matches a Status or StatusOr with this code, whatever the message.
MATCHER_P(StatusIs, code,
          (negation ? "hasn't code " : "has code ") +
              absl::StatusCodeToString(code)) {
  const absl::Status& status = StatusOf(arg);
  *result_listener << "which is " << status;
  return status.code() == code;
}

// As above, and the message matches: a substring, or any string matcher.
//   EXPECT_THAT(Parse("x"), StatusIs(absl::StatusCode::kInvalidArgument,
//                                    "field top_k"));
MATCHER_P2(StatusIs, code, message,
           (negation ? "hasn't code " : "has code ") +
               absl::StatusCodeToString(code) + " and the message") {
  const absl::Status& status = StatusOf(arg);
  *result_listener << "which is " << status;
  const std::string text(status.message());
  if constexpr (std::is_convertible_v<decltype(message), std::string>) {
    return status.code() == code &&
           testing::Value(text, testing::HasSubstr(std::string(message)));
  } else {
    return status.code() == code && testing::Value(text, message);
  }
}

// Matches a StatusOr that is OK and whose value matches `matcher`.
MATCHER_P(
    IsOkAndHolds, matcher,
    "is OK and holds a value that " +
        testing::DescribeMatcher<typename std::decay_t<arg_type>::value_type>(
            matcher, negation)) {
  if (!arg.ok()) {
    *result_listener << "which is " << arg.status();
    return false;
  }
  return testing::ExplainMatchResult(matcher, *arg, result_listener);
}

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_TESTING_STATUS_MATCHERS_H_
