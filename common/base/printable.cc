// SPDX-License-Identifier: Apache-2.0
#include "common/base/printable.h"

namespace hilum {
namespace {

std::string Escaped(absl::string_view text, size_t max_bytes,
                    bool escapes_backslash) {
  constexpr absl::string_view kCut = "...";
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  size_t fits = 0;  // bytes of `out` before which a cut is possible
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c >= ' ' && c <= '~' && (c != '\\' || !escapes_backslash)) {
      out.push_back(c);
    } else {
      out.append({'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]});
    }
    if (out.size() > max_bytes) {
      out.resize(fits);
      out.append(kCut.data(), kCut.size());
      return out;
    }
    if (out.size() + kCut.size() <= max_bytes) fits = out.size();
  }
  return out;
}

}  // namespace

std::string Printable(absl::string_view text, size_t max_bytes) {
  return Escaped(text, max_bytes, /*escapes_backslash=*/true);
}

std::string PrintableLine(absl::string_view line, size_t max_bytes) {
  return Escaped(line, max_bytes, /*escapes_backslash=*/false);
}

}  // namespace hilum
