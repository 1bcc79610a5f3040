// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/decode/exif.h"

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/strings/match.h"
#include "site_agent/imaging/dicom/patient_orientation.h"

namespace hilum {
namespace {

constexpr uint32_t kOrientationTag = 0x0112;
constexpr uint32_t kShort = 3;  // TIFF's type of 16 bits
constexpr size_t kEntryBytes = 12;

// Reads integers of a TIFF structure in its byte order; gives 0 past the end.
class TiffReader {
 public:
  TiffReader(absl::string_view bytes, bool big_endian)
      : bytes_(bytes), big_endian_(big_endian) {}

  bool Has(uint64_t at, uint64_t count) const {
    return at <= bytes_.size() && count <= bytes_.size() - at;
  }

  uint32_t Read(uint64_t at, int count) const {
    if (!Has(at, static_cast<uint64_t>(count))) return 0;
    uint32_t value = 0;
    for (int i = 0; i < count; ++i) {
      const int from = big_endian_ ? i : count - 1 - i;
      value = value << 8 | static_cast<uint8_t>(bytes_[at + from]);
    }
    return value;
  }

 private:
  absl::string_view bytes_;
  bool big_endian_;
};

}  // namespace

int ExifOrientation(absl::string_view tiff) {
  const bool big_endian = absl::StartsWith(tiff, "MM");
  if (!big_endian && !absl::StartsWith(tiff, "II")) return 1;
  const TiffReader reader(tiff, big_endian);
  if (reader.Read(2, 2) != 42) return 1;
  const uint64_t directory = reader.Read(4, 4);
  const uint32_t entries = reader.Read(directory, 2);
  for (uint32_t i = 0; i < entries; ++i) {
    const uint64_t entry = directory + 2 + i * kEntryBytes;
    if (!reader.Has(entry, kEntryBytes)) return 1;
    if (reader.Read(entry, 2) != kOrientationTag) continue;
    if (reader.Read(entry + 2, 2) != kShort) return 1;
    const uint32_t value = reader.Read(entry + 8, 2);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

GrayImage ApplyExifOrientation(GrayImage image, int orientation) {
  // Display of the stored first row and column, by the tag's value.
  constexpr Orientation kShown[] = {{false, false, false}, {false, true, false},
                                    {false, true, true},   {false, false, true},
                                    {true, false, false},  {true, true, false},
                                    {true, true, true},    {true, false, true}};
  if (orientation < 1 || orientation > 8) return image;
  return Orient(std::move(image), kShown[orientation - 1]);
}

}  // namespace hilum
