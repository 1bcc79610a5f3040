// SPDX-License-Identifier: Apache-2.0
#include "common/rpc/status.h"

#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/cause.h"

namespace hilum {
namespace {

// Prefix of a status's details where it has a cause.
constexpr char kCause[] = "hilum-cause=";

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const int cause = static_cast<int>(CauseOf(status));
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()),
                      std::string(status.message()),
                      cause == 0 ? "" : absl::StrCat(kCause, cause));
}

absl::Status FromGrpc(const grpc::Status& status) {
  const absl::Status plain(static_cast<absl::StatusCode>(status.error_code()),
                           status.error_message());
  const std::string details = status.error_details();
  absl::string_view number = details;
  int cause = 0;
  if (!absl::ConsumePrefix(&number, kCause) ||
      !absl::SimpleAtoi(number, &cause) || cause < 0 ||
      cause > static_cast<int>(Cause::kOutOfMemory)) {
    return plain;
  }
  return WithCause(plain, static_cast<Cause>(cause));
}

}  // namespace hilum
