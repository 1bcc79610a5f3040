// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/client_hello.h"

#include <algorithm>
#include <cstdint>

namespace hilum {
namespace {

constexpr size_t kRecordHeadBytes = 5;
constexpr size_t kLongestRecord = 1 << 14;
constexpr uint8_t kHandshake = 22, kClientHello = 1, kMajorVersion = 3;

bool IsPossible(size_t i, uint8_t byte) {
  switch (i) {
    case 0:
      return byte == kHandshake;
    case 1:
      return byte == kMajorVersion;
    case 5:
      return byte == kClientHello;
    default:  // minor version and length
      return true;
  }
}

}  // namespace

Hello JudgeHello(absl::string_view head, size_t available) {
  const size_t known = std::min(head.size(), kHelloHeadBytes);
  for (size_t i = 0; i < known; ++i) {
    if (!IsPossible(i, static_cast<uint8_t>(head[i]))) return Hello::kNone;
  }
  if (known < kHelloHeadBytes) return Hello::kPart;
  const size_t length = static_cast<size_t>(static_cast<uint8_t>(head[3]))
                            << 8 |
                        static_cast<uint8_t>(head[4]);
  if (length == 0 || length > kLongestRecord) return Hello::kNone;
  return available < kRecordHeadBytes + length ? Hello::kPart : Hello::kWhole;
}

}  // namespace hilum
