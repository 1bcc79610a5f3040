// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/dicom/dicom_pixels.h"

#include <new>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "site_agent/imaging/dicom/dicom_frames.h"
#include "site_agent/imaging/dicom/frame_decoders.h"
#include "site_agent/imaging/image.h"

namespace hilum {
namespace {

constexpr DicomTag kSamples = 0x00280002;
constexpr DicomTag kPhotometric = 0x00280004;
constexpr DicomTag kPlanar = 0x00280006;
constexpr DicomTag kFrames = 0x00280008;
constexpr DicomTag kRows = 0x00280010;
constexpr DicomTag kColumns = 0x00280011;
constexpr DicomTag kBitsAllocated = 0x00280100;
constexpr DicomTag kBitsStored = 0x00280101;
constexpr DicomTag kHighBit = 0x00280102;
constexpr DicomTag kSigned = 0x00280103;

absl::StatusOr<int> Required(const DicomElements& elements, DicomTag tag,
                             absl::string_view name) {
  const std::optional<uint16_t> value = elements.Uint16(tag);
  if (value.has_value()) return *value;
  return absl::InvalidArgumentError(
      absl::StrCat("DICOM: no ", name, " ", TagName(tag)));
}

absl::StatusOr<int> ReadFrames(const DicomElements& elements) {
  const std::string text = elements.Text(kFrames);
  if (text.empty()) return 1;
  int frames = 0;
  if (absl::SimpleAtoi(text, &frames) && frames >= 1) return frames;
  return absl::InvalidArgumentError("DICOM: the number of frames is not one");
}

absl::Status CheckPhotometric(const PixelFormat& format) {
  const bool single = format.photometric == "MONOCHROME1" ||
                      format.photometric == "MONOCHROME2" ||
                      format.photometric == "PALETTE COLOR";
  const bool triple =
      format.photometric == "RGB" || format.photometric == "YBR_FULL" ||
      format.photometric == "YBR_FULL_422" || format.photometric == "YBR_RCT" ||
      format.photometric == "YBR_ICT";
  if (!single && !triple) {
    return absl::UnimplementedError(
        "DICOM: a photometric interpretation that is not taken");
  }
  if (format.samples == (single ? 1 : 3)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "DICOM: ", format.samples, " samples a pixel with ", format.photometric));
}

absl::Status CheckBits(const PixelFormat& format) {
  const int allocated = format.bits_allocated;
  if (allocated != 1 && allocated != 8 && allocated != 16 && allocated != 32) {
    return absl::UnimplementedError(
        absl::StrCat("DICOM: ", allocated, " bits allocated is not taken"));
  }
  if (format.bits_stored < 1 || format.bits_stored > allocated ||
      format.high_bit >= allocated ||
      format.high_bit + 1 < format.bits_stored) {
    return absl::InvalidArgumentError(absl::StrCat(
        "DICOM: ", format.bits_stored, " bits stored, ending at bit ",
        format.high_bit, ", of ", allocated, " allocated"));
  }
  return absl::OkStatus();
}

absl::Status CheckSize(const PixelFormat& format) {
  HILUM_RETURN_IF_ERROR(CheckImageSize(format.rows, format.columns));
  if (format.frame_bytes() > kMaxStoredBytes / format.frames) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "DICOM: ", format.frames, " frames of ", format.columns, " x ",
        format.rows, " are over ", kMaxStoredBytes >> 20, " MB"));
  }
  return absl::OkStatus();
}

absl::Status DecodeFrame(absl::string_view frame, const TransferSyntax& syntax,
                         const PixelFormat& format, std::string& out) {
  switch (syntax.coding) {
    case PixelCoding::kRle:
      return DecodeRleFrame(frame, format, out);
    case PixelCoding::kJpeg2000:
      return DecodeJpeg2000Frame(frame, format, out);
    default:
      return DecodeDcmtkFrame(frame, syntax, format, out);
  }
}

absl::StatusOr<std::string> DecodeFrames(const DicomFile& file,
                                         const PixelFormat& format) {
  const DicomElement& pixels = *file.elements.Find(kPixelDataTag);
  if (file.syntax->coding == PixelCoding::kNative) {
    if (!pixels.encapsulated) {
      return UnpackNative(pixels, file.syntax->encoding, format);
    }
    return absl::InvalidArgumentError(
        "DICOM: encapsulated pixel data in a transfer syntax without");
  }
  if (!pixels.encapsulated) {
    return absl::InvalidArgumentError(
        "DICOM: pixel data is not encapsulated as its transfer syntax asks");
  }
  if (format.bits_allocated != 8 && format.bits_allocated != 16) {
    return absl::UnimplementedError(absl::StrCat(
        "DICOM: compressed pixels of ", format.bits_allocated, " bits"));
  }
  HILUM_ASSIGN_OR_RETURN(std::vector<std::string> frames,
                         JoinFragments(pixels.items, format.frames));
  std::string out;
  for (const std::string& frame : frames) {
    HILUM_RETURN_IF_ERROR(DecodeFrame(frame, *file.syntax, format, out));
  }
  return out;
}

}  // namespace

absl::StatusOr<PixelFormat> ReadPixelFormat(const DicomElements& elements) {
  PixelFormat format;
  if (elements.Find(kPixelDataTag) == nullptr) {
    return absl::InvalidArgumentError("DICOM: no pixel data");
  }
  HILUM_ASSIGN_OR_RETURN(format.rows, Required(elements, kRows, "Rows"));
  HILUM_ASSIGN_OR_RETURN(format.columns,
                         Required(elements, kColumns, "Columns"));
  HILUM_ASSIGN_OR_RETURN(format.samples,
                         Required(elements, kSamples, "Samples per Pixel"));
  HILUM_ASSIGN_OR_RETURN(format.bits_allocated,
                         Required(elements, kBitsAllocated, "Bits Allocated"));
  HILUM_ASSIGN_OR_RETURN(format.bits_stored,
                         Required(elements, kBitsStored, "Bits Stored"));
  HILUM_ASSIGN_OR_RETURN(format.high_bit,
                         Required(elements, kHighBit, "High Bit"));
  HILUM_ASSIGN_OR_RETURN(int is_signed,
                         Required(elements, kSigned, "Pixel Representation"));
  if (is_signed > 1) {
    return absl::InvalidArgumentError("DICOM: Pixel Representation");
  }
  format.is_signed = is_signed == 1;
  format.by_plane = elements.Uint16(kPlanar).value_or(0) == 1;
  format.photometric = elements.Text(kPhotometric);
  HILUM_ASSIGN_OR_RETURN(format.frames, ReadFrames(elements));
  HILUM_RETURN_IF_ERROR(CheckPhotometric(format));
  HILUM_RETURN_IF_ERROR(CheckBits(format));
  HILUM_RETURN_IF_ERROR(CheckSize(format));
  return format;
}

absl::StatusOr<StoredPixels> DecodeStoredPixels(const DicomFile& file) try {
  StoredPixels pixels;
  HILUM_ASSIGN_OR_RETURN(pixels.format, ReadPixelFormat(file.elements));
  HILUM_ASSIGN_OR_RETURN(pixels.bytes, DecodeFrames(file, pixels.format));
  return pixels;
} catch (const std::bad_alloc&) {
  return absl::ResourceExhaustedError("DICOM: out of memory");
}

}  // namespace hilum
