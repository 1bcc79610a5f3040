// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/dicom/decode_dicom.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "site_agent/imaging/dicom/gray_pipeline.h"
#include "site_agent/imaging/dicom/patient_orientation.h"

namespace hilum {
namespace {

constexpr DicomTag kImagerPixelSpacing = 0x00181164;
constexpr DicomTag kPixelSpacing = 0x00280030;

absl::Status CheckGray(const PixelFormat& format) {
  if (format.samples != 1 || format.photometric == "PALETTE COLOR") {
    return absl::UnimplementedError(
        absl::StrCat("not a gray image but ", format.photometric));
  }
  if (format.frames != 1) {
    return absl::UnimplementedError(
        absl::StrCat(format.frames, " frames, not one image"));
  }
  if (format.bits_allocated != 8 && format.bits_allocated != 16) {
    return absl::UnimplementedError(
        absl::StrCat("gray of ", format.bits_allocated, " bits is not taken"));
  }
  return absl::OkStatus();
}

// Reads the spacing at the detector, which all hospitals define alike, else the
// spacing at the patient. Ignores an invalid spacing.
void ReadSpacing(const DicomElements& elements, GrayImage& image) {
  for (DicomTag tag : {kImagerPixelSpacing, kPixelSpacing}) {
    auto spacing = elements.Numbers(tag);
    if (!spacing.ok() || spacing->size() != 2) continue;
    if ((*spacing)[0] <= 0 || (*spacing)[1] <= 0) continue;
    image.row_mm = (*spacing)[0];
    image.column_mm = (*spacing)[1];
    return;
  }
}

// The bits that occur in the words.
struct SeenBits {
  uint32_t any = 0;  // set in some word
  // Bits that in some word differ from the stored value's sign.
  uint32_t not_sign = 0;
};

// Returns the OR of all words, eight bytes at a time.
template <typename Word>
uint32_t AnyBits(const uint8_t* bytes, size_t size) {
  uint64_t any = 0;
  size_t at = 0;
  for (; at + sizeof any <= size; at += sizeof any) {
    uint64_t some;
    std::memcpy(&some, bytes + at, sizeof some);
    any |= some;
  }
  uint64_t rest = 0;
  std::memcpy(&rest, bytes + at, size - at);
  any |= rest;
  any |= any >> 32;
  any |= any >> 16;
  if (sizeof(Word) == 1) any |= any >> 8;
  return static_cast<uint32_t>(any & std::numeric_limits<Word>::max());
}

// Appends `count` pixels to `out`, which has reserved memory: filling it with
// zeros first would cost as much as the look-up.
template <typename Word, bool kSigned>
SeenBits LookUp(const uint8_t* bytes, size_t count, const PixelFormat& format,
                const std::vector<float>& grays, std::vector<float>& out,
                std::vector<uint32_t>& counts) {
  const int shift = format.high_bit + 1 - format.bits_stored;
  const int to_sign = 31 - format.high_bit;
  const size_t mask = grays.size() - 1;
  std::array<float, 2048> some;
  SeenBits seen;
  // Counts in two tables: equal neighbours would wait for each other's store.
  std::vector<uint32_t> odd(grays.size());
  std::vector<uint32_t>* both[] = {&counts, &odd};
  for (size_t at = 0; at < count; at += some.size()) {
    const size_t end = std::min(some.size(), count - at);
    seen.any |= AnyBits<Word>(bytes, end * sizeof(Word));
    for (size_t i = 0; i < end; ++i, bytes += sizeof(Word)) {
      int word = bytes[0];
      if (sizeof(Word) == 2) word |= bytes[1] << 8;
      if constexpr (kSigned) {
        const auto bits = static_cast<uint32_t>(word);
        const int32_t value = static_cast<int32_t>(bits << to_sign) >> to_sign;
        seen.not_sign |= static_cast<uint32_t>(value) ^ bits;
      }
      const size_t level = word >> shift & mask;
      some[i] = grays[level];
      ++(*both[i & 1])[level];
    }
    out.insert(out.end(), some.begin(), some.begin() + end);
  }
  for (size_t i = 0; i < odd.size(); ++i) counts[i] += odd[i];
  return seen;
}

// Returns the bits of the words that hold overlays in the retired form: a group
// 60xx with a position and no data of its own (PS3.3 C.9.2, PS3.5 8.1.2).
uint32_t OverlayBits(const DicomElements& elements) {
  uint32_t bits = 0;
  for (DicomTag group = 0x6000; group <= 0x601e; group += 2) {
    const std::optional<uint16_t> position =
        elements.Uint16(group << 16 | 0x0102);
    if (!position.has_value() || *position > 15) continue;
    if (elements.Find(group << 16 | 0x3000) != nullptr) continue;
    if (elements.Find(group << 16 | 0x0100) == nullptr) continue;
    bits |= 1u << *position;
  }
  return bits;
}

// Refuses words with unexplained bits outside the stored ones: ignoring such
// bits would make bright tissue dark.
absl::Status CheckUnstoredBits(const PixelFormat& format, const SeenBits& seen,
                               const DicomElements& elements) {
  const int first = format.high_bit + 1 - format.bits_stored;
  const uint32_t below = (1u << first) - 1;
  const uint32_t all = (1u << format.bits_allocated) - 1;
  uint32_t above = all & ~((2u << format.high_bit) - 1);
  // A negative value's sign may be extended into the upper bits.
  if (format.is_signed && (seen.not_sign & above) == 0) above = 0;
  const uint32_t wrong = seen.any & (below | above) & ~OverlayBits(elements);
  if (wrong == 0) return absl::OkStatus();
  const bool is_above = (wrong & above) != 0;
  const int bit =
      is_above ? std::bit_width(wrong) - 1 : std::countr_zero(wrong);
  return absl::InvalidArgumentError(absl::StrCat(
      "DICOM: pixels use bit ", bit, ", which is ",
      is_above ? "above" : "below", " the bits ", first, " to ",
      format.high_bit, " that Bits Stored ", format.bits_stored,
      " and High Bit ", format.high_bit,
      " name, and no overlay is declared there; have the film exported anew"));
}

// Returns whether pixels with several stored values all get one gray.
bool HidesAll(const std::vector<float>& grays,
              const std::vector<uint32_t>& counts) {
  size_t levels = 0;
  float gray = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    if (levels++ > 0 && grays[i] != gray) return false;
    gray = grays[i];
  }
  return levels > 1;
}

SeenBits LookUpAll(const StoredPixels& pixels, const std::vector<float>& grays,
                   GrayImage& image, std::vector<uint32_t>& counts) {
  const PixelFormat& format = pixels.format;
  const auto* bytes = reinterpret_cast<const uint8_t*>(pixels.bytes.data());
  const size_t count =
      size_t{static_cast<uint32_t>(image.rows)} * image.columns;
  image.pixels.clear();
  image.pixels.reserve(count);
  counts.assign(grays.size(), 0);
  const auto look_up =
      format.bits_allocated == 8
          ? (format.is_signed ? LookUp<uint8_t, true> : LookUp<uint8_t, false>)
          : (format.is_signed ? LookUp<uint16_t, true>
                              : LookUp<uint16_t, false>);
  return look_up(bytes, count, format, grays, image.pixels, counts);
}

// Applies the first transform of the rules that shows more than one gray.
absl::Status Show(const DicomElements& elements, const StoredPixels& pixels,
                  GrayRules& rules, GrayImage& image, GrayRange* range) {
  bool skipped = !rules.notes.empty();
  for (;;) {
    const std::vector<float> grays = GrayTable(rules, pixels.format);
    std::vector<uint32_t> counts;
    const SeenBits seen = LookUpAll(pixels, grays, image, counts);
    HILUM_RETURN_IF_ERROR(CheckUnstoredBits(pixels.format, seen, elements));
    if (rules.voi.empty() || !HidesAll(grays, counts)) {
      if (range != nullptr) *range = RangeOfCounts(grays, counts);
      break;
    }
    rules.notes.push_back(absl::StrCat(
        rules.voi.front().table.has_value() ? "a VOI LUT" : "a window",
        " is not used: all pixels would have one gray"));
    rules.voi.erase(rules.voi.begin());
    skipped = true;
  }
  if (skipped && rules.voi.empty()) {
    rules.notes.push_back("the range of the stored bits is shown");
  }
  image.notes = std::move(rules.notes);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<GrayImage> RenderDicom(const DicomElements& elements,
                                      const StoredPixels& pixels,
                                      GrayRange* range) {
  HILUM_RETURN_IF_ERROR(CheckGray(pixels.format));
  HILUM_ASSIGN_OR_RETURN(GrayRules rules,
                         ReadGrayRules(elements, pixels.format));
  HILUM_ASSIGN_OR_RETURN(Orientation orientation, ReadOrientation(elements));
  GrayImage image{pixels.format.rows, pixels.format.columns, {}};
  HILUM_RETURN_IF_ERROR(Show(elements, pixels, rules, image, range));
  ReadSpacing(elements, image);
  const std::string note = OrientationNote(elements);
  if (!note.empty()) image.notes.push_back(note);
  return Orient(std::move(image), orientation);
}

absl::StatusOr<GrayImage> DecodeDicom(absl::string_view bytes) try {
  HILUM_ASSIGN_OR_RETURN(DicomFile file, ReadDicomFile(bytes));
  HILUM_ASSIGN_OR_RETURN(PixelFormat format, ReadPixelFormat(file.elements));
  // Checks before the pixels are decoded.
  HILUM_RETURN_IF_ERROR(CheckGray(format));
  HILUM_ASSIGN_OR_RETURN(StoredPixels pixels, DecodeStoredPixels(file));
  return RenderDicom(file.elements, pixels);
} catch (const std::bad_alloc&) {
  return absl::ResourceExhaustedError("DICOM: out of memory");
}

}  // namespace hilum
