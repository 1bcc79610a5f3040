// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/dicom/dicom_frames.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

// Reads an entry of the offset table: four bytes, little-endian.
uint32_t Offset(absl::string_view table, size_t entry) {
  uint32_t value = 0;
  for (int i = 3; i >= 0; --i) {
    value = value << 8 | static_cast<uint8_t>(table[entry * 4 + i]);
  }
  return value;
}

// Joins fragments by the offset table. An entry is the offset of a frame's
// first fragment, counted from the first fragment's item tag.
absl::StatusOr<std::vector<std::string>> JoinByTable(
    const std::vector<absl::string_view>& items, int frames) {
  const absl::string_view table = items[0];
  std::vector<std::string> joined;
  uint64_t position = 0;
  for (size_t i = 1; i < items.size(); ++i) {
    if (joined.size() < static_cast<size_t>(frames) &&
        position == Offset(table, joined.size())) {
      joined.emplace_back();
    }
    if (joined.empty()) break;
    absl::StrAppend(&joined.back(), items[i]);
    position += items[i].size() + 8;
  }
  if (joined.size() == static_cast<size_t>(frames)) return joined;
  return absl::InvalidArgumentError(
      "DICOM: the offset table does not fit the fragments");
}

// Limit of zeros behind the pixels that count as padding, in bytes; a longer
// row raises it.
constexpr uint64_t kMostPadding = 4096;

// Returns whether the bytes from `end` on are padding: the byte that makes a
// length even, or zeros (PS3.5 section 8.1.1), at most a row or kMostPadding of
// them.
bool IsPadding(absl::string_view bytes, uint64_t end,
               const PixelFormat& format) {
  if (bytes.size() <= end + end % 2) return true;
  const uint64_t row = format.frame_bytes() / format.rows;
  if (bytes.size() - end > std::max(row, kMostPadding)) return false;
  return std::all_of(bytes.begin() + static_cast<std::ptrdiff_t>(end),
                     bytes.end(), [](char c) { return c == 0; });
}

void SwapPairs(std::string& bytes) {
  for (size_t i = 0; i + 1 < bytes.size(); i += 2) {
    std::swap(bytes[i], bytes[i + 1]);
  }
}

// Unpacks one bit a pixel, lowest bit first (PS3.5 section 8.1.1, annex D).
std::string UnpackBits(absl::string_view bytes, uint64_t pixels) {
  std::string out(pixels, '\0');
  for (uint64_t i = 0; i < pixels; ++i) {
    out[i] = static_cast<char>(static_cast<uint8_t>(bytes[i / 8]) >> i % 8 & 1);
  }
  return out;
}

std::string Interleave(const std::string& bytes, const PixelFormat& format) {
  const size_t width = format.sample_bytes();
  const size_t plane = format.frame_bytes() / 3;
  std::string out(bytes.size(), '\0');
  for (size_t from = 0; from < bytes.size(); ++from) {
    const size_t frame = from / (3 * plane);
    const size_t in_frame = from % (3 * plane);
    const size_t color = in_frame / plane;
    const size_t pixel = in_frame % plane / width;
    out[frame * 3 * plane + (pixel * 3 + color) * width + from % width] =
        bytes[from];
  }
  return out;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> JoinFragments(
    const std::vector<absl::string_view>& items, int frames) {
  if (items.size() < 2) {
    return absl::InvalidArgumentError("DICOM: pixel data without fragments");
  }
  std::vector<std::string> joined;
  if (frames == 1) {
    joined.emplace_back();
    for (size_t i = 1; i < items.size(); ++i) {
      absl::StrAppend(&joined[0], items[i]);
    }
    return joined;
  }
  const size_t wanted = static_cast<size_t>(frames);
  if (items[0].size() / 4 >= wanted) return JoinByTable(items, frames);
  if (items.size() - 1 == wanted) {
    for (size_t i = 1; i < items.size(); ++i) joined.emplace_back(items[i]);
    return joined;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("DICOM: ", frames, " frames in ", items.size() - 1,
                   " fragments, and no offset table"));
}

absl::StatusOr<std::string> UnpackNative(const DicomElement& pixels,
                                         DicomEncoding encoding,
                                         const PixelFormat& format) {
  if (format.photometric == "YBR_FULL_422" ||
      (encoding.big_endian && format.bits_allocated == 32)) {
    return absl::UnimplementedError(
        "DICOM: this kind of uncompressed pixels is not taken");
  }
  const uint64_t samples =
      format.frame_bytes() / format.sample_bytes() * format.frames;
  const uint64_t wanted = (samples * format.bits_allocated + 7) / 8;
  const uint64_t given = pixels.value.size();
  if (given < wanted || !IsPadding(pixels.value, wanted, format)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "DICOM: pixel data of ", given, " bytes where ", format.frames, " x ",
        format.columns, " x ", format.rows, " pixels take ", wanted));
  }
  std::string bytes(pixels.value);
  // OW values are swapped whatever they hold (PS3.5 section 7.3); pixels of
  // single bytes are swapped only in an OW element.
  if (encoding.big_endian &&
      (format.bits_allocated == 16 || pixels.vr == "OW")) {
    SwapPairs(bytes);
  }
  bytes.resize(wanted);
  if (format.bits_allocated == 1) return UnpackBits(bytes, samples);
  if (format.samples == 3 && format.by_plane) return Interleave(bytes, format);
  return bytes;
}

}  // namespace hilum
