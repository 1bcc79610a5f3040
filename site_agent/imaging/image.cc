// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/image.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/crypto/sha256.h"

namespace hilum {

absl::Status CheckImageSize(uint64_t rows, uint64_t columns) {
  if (rows == 0 || columns == 0) {
    return absl::InvalidArgumentError("image has no pixels");
  }
  if (columns > kMaxImagePixels / rows) {
    return absl::ResourceExhaustedError(
        absl::StrCat("image of ", columns, " x ", rows, " pixels is over ",
                     kMaxImagePixels, " pixels"));
  }
  return absl::OkStatus();
}

absl::Status CheckShowsSomething(const GrayImage& image) {
  if (image.pixels.empty()) {
    return absl::InvalidArgumentError("image has no pixels");
  }
  const float first = image.pixels.front();
  const auto other = std::find_if(image.pixels.begin(), image.pixels.end(),
                                  [first](float v) { return v != first; });
  if (other != image.pixels.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "the image shows nothing: all its pixels have one value; export it "
      "anew, or leave it out");
}

std::string PixelDigest(const GrayImage& image) {
  Sha256 sha;
  sha.Update(absl::StrCat("gray16:", image.rows, "x", image.columns, ":"));
  std::array<uint16_t, 4096> words;
  for (size_t at = 0; at < image.pixels.size(); at += words.size()) {
    const size_t count = std::min(words.size(), image.pixels.size() - at);
    for (size_t i = 0; i < count; ++i) {
      const float gray = std::clamp(image.pixels[at + i], 0.0f, 1.0f);
      words[i] = static_cast<uint16_t>(gray * 65535.0f + 0.5f);
    }
    sha.Update(absl::string_view(reinterpret_cast<const char*>(words.data()),
                                 count * sizeof(uint16_t)));
  }
  return sha.Finish();
}

}  // namespace hilum
