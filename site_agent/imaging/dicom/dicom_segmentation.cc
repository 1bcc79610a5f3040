// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/dicom/dicom_segmentation.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/status_macros.h"
#include "site_agent/imaging/dicom/dicom_pixels.h"
#include "site_agent/imaging/dicom/patient_orientation.h"

namespace hilum {
namespace {

constexpr DicomTag kSopClass = 0x00080016;
constexpr DicomTag kCodeValue = 0x00080100;
constexpr DicomTag kCodingScheme = 0x00080102;
constexpr DicomTag kSegmentationType = 0x00620001;
constexpr DicomTag kSegments = 0x00620002;
constexpr DicomTag kSegmentNumber = 0x00620004;
constexpr DicomTag kSegmentLabel = 0x00620005;
constexpr DicomTag kSegmentIdentification = 0x0062000a;
constexpr DicomTag kReferencedSegment = 0x0062000b;
constexpr DicomTag kMaximumFraction = 0x0062000e;
constexpr DicomTag kPropertyType = 0x0062000f;
constexpr DicomTag kSharedGroups = 0x52009229;
constexpr DicomTag kFrameGroups = 0x52009230;

absl::Status Invalid(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("DICOM segmentation: ", what));
}

// Accepts the codes of lung, right lung and left lung.
bool IsLungCode(const DicomElements& code) {
  static const auto* const kCodes = new std::set<std::string>{
      "39607008", "3341006", "44029006", "T-28000", "T-28100", "T-28500"};
  const std::string scheme = code.Text(kCodingScheme);
  return (scheme == "SCT" || scheme == "SRT" || scheme == "SNM3") &&
         kCodes->count(code.Text(kCodeValue)) > 0;
}

// Accepts only labels of such words: "lung nodule" is not a lung.
bool IsLungLabel(const std::string& label) {
  static const auto* const kBeside = new std::set<std::string>{
      "left", "right", "both", "l", "r", "field", "fields", "mask"};
  const std::vector<std::string> words =
      absl::StrSplit(absl::AsciiStrToLower(label), absl::ByAnyChar(" _-,.()/"),
                     absl::SkipEmpty());
  bool lung = false;
  for (const std::string& word : words) {
    const bool is = word == "lung" || word == "lungs";
    if (!is && kBeside->count(word) == 0) return false;
    lung = lung || is;
  }
  return lung;
}

absl::StatusOr<std::set<int>> LungSegments(const DicomElements& elements) {
  HILUM_ASSIGN_OR_RETURN(std::vector<DicomElements> segments,
                         elements.Items(kSegments));
  std::set<int> lungs;
  for (const DicomElements& segment : segments) {
    const std::optional<uint16_t> number = segment.Uint16(kSegmentNumber);
    if (!number.has_value()) return Invalid("a segment without a number");
    HILUM_ASSIGN_OR_RETURN(std::vector<DicomElements> codes,
                           segment.Items(kPropertyType));
    const bool coded = !codes.empty() && IsLungCode(codes[0]);
    if (coded || IsLungLabel(segment.Text(kSegmentLabel))) {
      lungs.insert(*number);
    }
  }
  if (!lungs.empty()) return lungs;
  return Invalid(absl::StrCat(
      "none of its ", segments.size(),
      " segments says by code or label that it is a lung; label them left "
      "lung, right lung or lungs"));
}

// Returns the segment in a functional group; 0: none.
absl::StatusOr<int> SegmentOf(const DicomElements& group) {
  HILUM_ASSIGN_OR_RETURN(std::vector<DicomElements> named,
                         group.Items(kSegmentIdentification));
  if (named.size() != 1) return 0;
  return named[0].Uint16(kReferencedSegment).value_or(0);
}

// Returns each frame's segment, [frames].
absl::StatusOr<std::vector<int>> SegmentsOfFrames(const DicomElements& elements,
                                                  int frames) {
  HILUM_ASSIGN_OR_RETURN(std::vector<DicomElements> shared,
                         elements.Items(kSharedGroups));
  int common = 0;
  if (shared.size() == 1) {
    HILUM_ASSIGN_OR_RETURN(common, SegmentOf(shared[0]));
  }
  HILUM_ASSIGN_OR_RETURN(std::vector<DicomElements> groups,
                         elements.Items(kFrameGroups));
  if (groups.size() != static_cast<size_t>(frames)) {
    return Invalid(absl::StrCat(frames, " frames and functional groups for ",
                                groups.size()));
  }
  std::vector<int> out;
  for (const DicomElements& group : groups) {
    HILUM_ASSIGN_OR_RETURN(int own, SegmentOf(group));
    out.push_back(own > 0 ? own : common);
    if (out.back() == 0) return Invalid("a frame that names no segment");
  }
  return out;
}

// Returns the divisor for stored samples.
absl::StatusOr<float> Maximum(const DicomElements& elements,
                              const PixelFormat& format) {
  const std::string type = elements.Text(kSegmentationType);
  if (format.samples != 1 || format.is_signed) {
    return Invalid("its pixels are not of one unsigned sample");
  }
  if (type == "BINARY") {
    if (format.bits_stored == 1) return 1.0f;
    return Invalid("binary, and not of one bit");
  }
  if (type != "FRACTIONAL") {
    return absl::UnimplementedError(
        "DICOM segmentation: neither binary nor fractional");
  }
  if (format.bits_allocated != 8 || format.bits_stored != 8) {
    return absl::UnimplementedError(
        "DICOM segmentation: fractions of other than 8 bits");
  }
  const int maximum = elements.Uint16(kMaximumFraction).value_or(0);
  if (maximum < 1 || maximum > 255) {
    return Invalid("the maximum of its fractions is not from 1 to 255");
  }
  return static_cast<float>(maximum);
}

}  // namespace

bool IsSegmentation(const DicomFile& file) {
  return file.elements.Text(kSopClass) == kSegmentationClass;
}

absl::StatusOr<GrayImage> ReadLungSegmentation(const DicomFile& file) {
  if (!IsSegmentation(file)) return Invalid("another SOP class");
  const DicomElements& elements = file.elements;
  HILUM_ASSIGN_OR_RETURN(PixelFormat format, ReadPixelFormat(elements));
  HILUM_ASSIGN_OR_RETURN(float maximum, Maximum(elements, format));
  HILUM_ASSIGN_OR_RETURN(std::set<int> lungs, LungSegments(elements));
  HILUM_ASSIGN_OR_RETURN(std::vector<int> segments,
                         SegmentsOfFrames(elements, format.frames));
  HILUM_ASSIGN_OR_RETURN(Orientation orientation, ReadOrientation(elements));
  HILUM_ASSIGN_OR_RETURN(StoredPixels pixels, DecodeStoredPixels(file));
  const uint64_t size = format.frame_bytes();
  GrayImage mask{format.rows, format.columns, std::vector<float>(size)};
  std::set<int> seen;
  for (size_t f = 0; f < segments.size(); ++f) {
    if (lungs.count(segments[f]) == 0) continue;
    if (!seen.insert(segments[f]).second) {
      return Invalid(
          "several frames of one segment, as of a volume; a radiograph's has "
          "one");
    }
    const auto* samples =
        reinterpret_cast<const uint8_t*>(pixels.bytes.data()) + f * size;
    for (uint64_t i = 0; i < size; ++i) {
      mask.pixels[i] =
          std::max(mask.pixels[i], std::min(samples[i] / maximum, 1.0f));
    }
  }
  if (seen.empty()) return Invalid("no frame of a lung");
  return Orient(std::move(mask), orientation);
}

}  // namespace hilum
