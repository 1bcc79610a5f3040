// SPDX-License-Identifier: Apache-2.0
#include "common/base/cause.h"

#include <string>

#include "absl/strings/cord.h"

namespace hilum {
namespace {

constexpr char kUrl[] = "hilum/cause";

const char* WordOf(Cause cause) {
  switch (cause) {
    case Cause::kDiskFull:
      return "disk full";
    case Cause::kTooLarge:
      return "too large";
    case Cause::kOutOfMemory:
      return "out of memory";
    case Cause::kUnknown:
      break;
  }
  return "";
}

}  // namespace

absl::Status WithCause(absl::Status status, Cause cause) {
  if (cause == Cause::kUnknown) {
    status.ErasePayload(kUrl);
  } else {
    status.SetPayload(kUrl, absl::Cord(WordOf(cause)));
  }
  return status;
}

Cause CauseOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kUrl);
  if (!payload.has_value()) return Cause::kUnknown;
  for (Cause cause :
       {Cause::kDiskFull, Cause::kTooLarge, Cause::kOutOfMemory}) {
    if (*payload == WordOf(cause)) return cause;
  }
  return Cause::kUnknown;
}

}  // namespace hilum
