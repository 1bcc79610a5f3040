// SPDX-License-Identifier: Apache-2.0
// Fuzzes PNG and JPEG files, as images and as masks. A decoded one is whole and
// within [0, 1].
#include "site_agent/imaging/decode/decode.h"
#include "site_agent/imaging/decode/decode_mask.h"
#include "tests/fuzz/input.h"

namespace hilum {
namespace {

constexpr size_t kPngSignature = 8;
constexpr uint32_t kPixels = 1 << 20;  // more would only be slow

uint32_t BigEndian(absl::string_view bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = at; i < at + 4; ++i) {
    value = value << 8 | static_cast<uint8_t>(bytes[i]);
  }
  return value;
}

// Returns the CRC-32 of PNG (ISO/IEC 15948, annex D).
uint32_t Crc(absl::string_view bytes) {
  uint32_t crc = ~0u;
  for (unsigned char byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) {
      crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
  }
  return ~crc;
}

// Corrects every chunk's checksum: a wrong one would hide the code behind the
// check.
void MendChecksums(std::string& png) {
  size_t at = kPngSignature;
  while (at + 12 <= png.size()) {
    const uint32_t length = BigEndian(png, at);
    if (length > png.size() - at - 12) return;
    const uint32_t crc = Crc(absl::string_view(png).substr(at + 4, length + 4));
    for (size_t i = 0; i < 4; ++i) {
      png[at + 8 + length + i] = static_cast<char>(crc >> (24 - 8 * i));
    }
    at += length + 12;
  }
}

}  // namespace
}  // namespace hilum

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hilum;
  std::string bytes = FuzzInput(data, size).Rest();
  MendChecksums(bytes);
  if (bytes.size() > 24 && bytes[0] != '\xff' &&
      uint64_t{BigEndian(bytes, 16)} * BigEndian(bytes, 20) > kPixels) {
    return 0;
  }
  auto mask = DecodeMask(bytes);
  if (mask.ok()) WhyMaskIsDoubtful(*mask).IgnoreError();
  auto image = DecodeImage(bytes);
  HILUM_CHECK(image.ok() == mask.ok());
  if (!image.ok()) return 0;
  HILUM_CHECK(image->rows > 0 && image->columns > 0);
  HILUM_CHECK(image->pixels.size() ==
              static_cast<size_t>(image->rows) * image->columns);
  for (float v : image->pixels) HILUM_CHECK(v >= 0 && v <= 1.000001f);
  return 0;
}
