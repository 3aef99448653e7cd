#include "common/status_macros.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

absl::StatusOr<int> Positive(int value) {
  if (value <= 0) return absl::OutOfRangeError("not positive");
  return value;
}

absl::Status CheckTwice(int first, int second, int& reached) {
  reached = 0;
  RETURN_IF_ERROR(Positive(first).status());
  reached = 1;
  RETURN_IF_ERROR(Positive(second).status());
  reached = 2;
  return absl::OkStatus();
}

TEST(StatusMacrosTest, ReturnIfErrorStopsAtTheFirstError) {
  int reached;
  EXPECT_THAT(CheckTwice(1, 1, reached), IsOk());
  EXPECT_EQ(reached, 2);
  EXPECT_THAT(CheckTwice(1, 0, reached),
              StatusIs(absl::StatusCode::kOutOfRange, "not positive"));
  EXPECT_EQ(reached, 1);
  EXPECT_THAT(CheckTwice(0, 1, reached),
              StatusIs(absl::StatusCode::kOutOfRange, "not positive"));
  EXPECT_EQ(reached, 0);
}

absl::StatusOr<std::string> Sum(int first, int second) {
  ASSIGN_OR_RETURN(const int a, Positive(first));
  int b;
  ASSIGN_OR_RETURN(b, Positive(second));
  return std::to_string(a + b);
}

TEST(StatusMacrosTest, AssignOrReturnDeclaresOrAssigns) {
  EXPECT_THAT(Sum(1, 2), IsOkAndHolds("3"));
  EXPECT_THAT(Sum(0, 2), StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_THAT(Sum(1, 0), StatusIs(absl::StatusCode::kOutOfRange));
}

template <typename First, typename Second>
absl::StatusOr<std::pair<First, Second>> Pair(First first, Second second) {
  return std::pair<First, Second>(first, second);
}

absl::StatusOr<std::unique_ptr<int>> Boxed(int value) {
  ASSIGN_OR_RETURN(auto pair, Pair<int, int>(value, 1));
  return std::make_unique<int>(pair.first);
}

absl::StatusOr<int> Unboxed(int value) {
  ASSIGN_OR_RETURN(std::unique_ptr<int> box, Boxed(value));
  return *box;
}

TEST(StatusMacrosTest, AssignOrReturnMovesOutOfItsArgument) {
  EXPECT_THAT(Unboxed(7), IsOkAndHolds(7));
}

int calls = 0;

absl::Status CountCalls() {
  ++calls;
  return absl::OkStatus();
}

absl::Status NestedInIf(bool check) {
  // NOLINTBEGIN(google-readability-braces-around-statements): on purpose.
  if (check)
    RETURN_IF_ERROR(CountCalls());
  else
    return absl::UnknownError("else");
  // NOLINTEND(google-readability-braces-around-statements)
  return absl::OkStatus();
}

TEST(StatusMacrosTest, ReturnIfErrorEvaluatesOnceAndIsOneStatement) {
  calls = 0;
  EXPECT_THAT(NestedInIf(true), IsOk());
  EXPECT_EQ(calls, 1);
  EXPECT_THAT(NestedInIf(false), StatusIs(absl::StatusCode::kUnknown));
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace hybridserve
