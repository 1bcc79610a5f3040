// SPDX-License-Identifier: Apache-2.0
#include "common/base/utf.h"

#include <cstdint>

#include "absl/strings/match.h"

namespace hilum {
namespace {

void AppendUtf8(uint32_t point, std::string& out) {
  auto add = [&](uint32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) return add(point);
  if (point < 0x800) {
    add(0xc0 | point >> 6);
  } else {
    if (point < 0x10000) {
      add(0xe0 | point >> 12);
    } else {
      add(0xf0 | point >> 18);
      add(0x80 | (point >> 12 & 0x3f));
    }
    add(0x80 | (point >> 6 & 0x3f));
  }
  add(0x80 | (point & 0x3f));
}

bool IsSurrogate(uint32_t unit, uint32_t base) {
  return unit >= base && unit < base + 0x400;
}

uint8_t ByteAt(absl::string_view bytes, size_t at) {
  return static_cast<uint8_t>(bytes[at]);
}

// Returns the length of the character at `at`; 0: there is no valid one.
size_t Utf8Length(absl::string_view bytes, size_t at) {
  const uint8_t first = ByteAt(bytes, at);
  if (first < 0x80) return 1;
  size_t length = 0;
  uint32_t point = 0, least = 0;
  if (first >= 0xc2 && first < 0xe0) {
    length = 2, point = first & 0x1f, least = 0x80;
  } else if (first >= 0xe0 && first < 0xf0) {
    length = 3, point = first & 0x0f, least = 0x800;
  } else if (first >= 0xf0 && first < 0xf5) {
    length = 4, point = first & 0x07, least = 0x10000;
  }
  if (length == 0 || length > bytes.size() - at) return 0;
  for (size_t i = 1; i < length; ++i) {
    const uint8_t next = ByteAt(bytes, at + i);
    if ((next & 0xc0) != 0x80) return 0;
    point = point << 6 | (next & 0x3f);
  }
  const bool in_range =
      point >= least && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
  return in_range ? length : 0;
}

}  // namespace

Utf16Order Utf16OrderOf(absl::string_view bytes) {
  if (absl::StartsWith(bytes, "\xff\xfe")) return Utf16Order::kLittle;
  if (absl::StartsWith(bytes, "\xfe\xff")) return Utf16Order::kBig;
  if (bytes.size() < 4) return Utf16Order::kNone;
  const bool zeros[4] = {bytes[0] == 0, bytes[1] == 0, bytes[2] == 0,
                         bytes[3] == 0};
  if (!zeros[0] && zeros[1] && !zeros[2] && zeros[3]) {
    return Utf16Order::kLittle;
  }
  const bool big = zeros[0] && !zeros[1] && zeros[2] && !zeros[3];
  return big ? Utf16Order::kBig : Utf16Order::kNone;
}

absl::StatusOr<std::string> Utf8FromUtf16(absl::string_view bytes,
                                          Utf16Order order) {
  if (bytes.size() % 2 != 0) {
    return absl::InvalidArgumentError("it ends within a character");
  }
  auto unit_at = [&](size_t at) -> uint32_t {
    const uint32_t a = ByteAt(bytes, at), b = ByteAt(bytes, at + 1);
    return order == Utf16Order::kBig ? a << 8 | b : b << 8 | a;
  };
  std::string out;
  out.reserve(bytes.size() / 2);
  for (size_t at = 0; at < bytes.size(); at += 2) {
    uint32_t point = unit_at(at);
    if (IsSurrogate(point, 0xd800)) {
      const uint32_t low = at + 2 < bytes.size() ? unit_at(at + 2) : 0;
      if (!IsSurrogate(low, 0xdc00)) {
        return absl::InvalidArgumentError("a character is damaged");
      }
      point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
      at += 2;
    } else if (IsSurrogate(point, 0xdc00)) {
      return absl::InvalidArgumentError("a character is damaged");
    }
    AppendUtf8(point, out);
  }
  return out;
}

bool IsUtf8(absl::string_view bytes) {
  for (size_t at = 0; at < bytes.size();) {
    const size_t length = Utf8Length(bytes, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

}  // namespace hilum
