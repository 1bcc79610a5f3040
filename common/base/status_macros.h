// SPDX-License-Identifier: Apache-2.0
// Early returns for absl::Status and absl::StatusOr.
#ifndef HILUM_COMMON_BASE_STATUS_MACROS_H_
#define HILUM_COMMON_BASE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define HILUM_RETURN_IF_ERROR(expr)              \
  do {                                           \
    absl::Status hilum_status = (expr);          \
    if (!hilum_status.ok()) return hilum_status; \
  } while (false)

#define HILUM_MACRO_CONCAT_INNER(a, b) a##b
#define HILUM_MACRO_CONCAT(a, b) HILUM_MACRO_CONCAT_INNER(a, b)

// HILUM_ASSIGN_OR_RETURN(auto x, MakeX());
#define HILUM_ASSIGN_OR_RETURN(lhs, expr)                                     \
  HILUM_ASSIGN_OR_RETURN_IMPL(HILUM_MACRO_CONCAT(hilum_status_or_, __LINE__), \
                              lhs, expr)
#define HILUM_ASSIGN_OR_RETURN_IMPL(result, lhs, expr) \
  auto result = (expr);                                \
  if (!result.ok()) return result.status();            \
  lhs = std::move(result).value()

#endif  // HILUM_COMMON_BASE_STATUS_MACROS_H_
