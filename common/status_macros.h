#ifndef HYBRIDSERVE_COMMON_STATUS_MACROS_H_
#define HYBRIDSERVE_COMMON_STATUS_MACROS_H_

#include <utility>

#include "absl/base/optimization.h"
#include "absl/status/status.h"

// The only macros of the project: early return on an error.

// Evaluates `expression`, an absl::Status, and returns it from the enclosing
// function unless it is OK. The function returns absl::Status or a StatusOr.
#define RETURN_IF_ERROR(expression)                      \
  do {                                                   \
    absl::Status hybridserve_status_ = (expression);     \
    if (ABSL_PREDICT_FALSE(!hybridserve_status_.ok())) { \
      return hybridserve_status_; /* NOLINT: moves. */   \
    }                                                    \
  } while (false)

// Evaluates `expression`, an absl::StatusOr<T>; assigns its value to `lhs`,
// which may declare a variable, or returns its status from the enclosing
// function. Types with commas need an alias or `auto`.
#define ASSIGN_OR_RETURN(lhs, ...) \
  HYBRIDSERVE_ASSIGN_OR_RETURN_(   \
      HYBRIDSERVE_CONCAT_(hybridserve_status_or_, __LINE__), lhs, __VA_ARGS__)

#define HYBRIDSERVE_ASSIGN_OR_RETURN_(status_or, lhs, ...) \
  auto status_or = (__VA_ARGS__);                          \
  if (ABSL_PREDICT_FALSE(!status_or.ok())) {               \
    return std::move(status_or).status();                  \
  }                                                        \
  lhs = *std::move(status_or)

#define HYBRIDSERVE_CONCAT_(a, b) HYBRIDSERVE_CONCAT_INNER_(a, b)
#define HYBRIDSERVE_CONCAT_INNER_(a, b) a##b

#endif  // HYBRIDSERVE_COMMON_STATUS_MACROS_H_
