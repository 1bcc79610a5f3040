// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/dicom/decode_dicom.h"

#include <algorithm>
#include <array>
#include <new>
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

// At the detector where that is known, as it is the same at every hospital;
// else at the patient. A spacing that makes no sense is as good as none.
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

// What each gray of the table has to do with the stored words.
struct WordBits {
  int shift;
  size_t mask;
};

// Appends `count` pixels to `out`, which has room for them: zeros that are
// written over would cost as much as looking up does.
template <typename Word>
void LookUp(const uint8_t* bytes, size_t count, WordBits bits,
            const std::vector<float>& grays, std::vector<float>& out,
            std::vector<uint32_t>& counts) {
  std::array<float, 2048> some;
  // Two counts: neighbours are alike, and one would wait for itself.
  std::vector<uint32_t> odd(grays.size());
  std::vector<uint32_t>* both[] = {&counts, &odd};
  for (size_t at = 0; at < count; at += some.size()) {
    const size_t end = std::min(some.size(), count - at);
    for (size_t i = 0; i < end; ++i, bytes += sizeof(Word)) {
      int word = bytes[0];
      if (sizeof(Word) == 2) word |= bytes[1] << 8;
      const size_t level = word >> bits.shift & bits.mask;
      some[i] = grays[level];
      ++(*both[i & 1])[level];
    }
    out.insert(out.end(), some.begin(), some.begin() + end);
  }
  for (size_t i = 0; i < odd.size(); ++i) counts[i] += odd[i];
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
  const size_t count =
      size_t{static_cast<uint32_t>(image.rows)} * image.columns;
  image.pixels.reserve(count);
  const std::vector<float> grays = GrayTable(rules, pixels.format);
  std::vector<uint32_t> counts(grays.size());
  const WordBits bits{pixels.format.high_bit + 1 - pixels.format.bits_stored,
                      grays.size() - 1};
  const auto* bytes = reinterpret_cast<const uint8_t*>(pixels.bytes.data());
  if (pixels.format.bits_allocated == 8) {
    LookUp<uint8_t>(bytes, count, bits, grays, image.pixels, counts);
  } else {
    LookUp<uint16_t>(bytes, count, bits, grays, image.pixels, counts);
  }
  if (range != nullptr) *range = RangeOfCounts(grays, counts);
  ReadSpacing(elements, image);
  return Orient(std::move(image), orientation);
}

absl::StatusOr<GrayImage> DecodeDicom(absl::string_view bytes) try {
  HILUM_ASSIGN_OR_RETURN(DicomFile file, ReadDicomFile(bytes));
  HILUM_ASSIGN_OR_RETURN(PixelFormat format, ReadPixelFormat(file.elements));
  // Before its pixels cost anything.
  HILUM_RETURN_IF_ERROR(CheckGray(format));
  HILUM_ASSIGN_OR_RETURN(StoredPixels pixels, DecodeStoredPixels(file));
  return RenderDicom(file.elements, pixels);
} catch (const std::bad_alloc&) {
  return absl::ResourceExhaustedError("DICOM: out of memory");
}

}  // namespace hilum
