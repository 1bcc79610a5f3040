// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/dicom_write/write_dicom_segmentation.h"

#include <dcmtk/config/osconfig.h>
// osconfig.h comes first.
#include <dcmtk/dcmdata/dcdatset.h>
#include <dcmtk/dcmdata/dcfilefo.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <exception>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "site_agent/imaging/dicom/dicom_segmentation.h"
#include "site_agent/imaging/dicom/patient_orientation.h"
#include "site_agent/imaging/dicom_write/dicom_writer.h"

namespace hilum {
namespace {

constexpr DicomTag kSopClass = 0x00080016, kSopInstance = 0x00080018;
constexpr DicomTag kStudyDate = 0x00080020, kStudyTime = 0x00080030;
constexpr DicomTag kStudyUid = 0x0020000d, kSeriesUid = 0x0020000e;
constexpr DicomTag kPatientOrientation = 0x00200020;
constexpr DicomTag kRows = 0x00280010, kColumns = 0x00280011;
constexpr DicomTag kReferencedSegment = 0x0062000b;
constexpr DicomTag kSegmentIdentification = 0x0062000a;

constexpr char kKind[] = "segmentation";  // of its UIDs
constexpr CopiedElement kFurther[] = {{kPatientOrientation, EVR_CS, true}};

// Turns the mask from the display to the stored pixels: reverses Orient.
absl::StatusOr<BinaryMask> AsStored(const BinaryMask& mask,
                                    const DicomFile* source) {
  if (source == nullptr) return mask;
  HILUM_ASSIGN_OR_RETURN(Orientation to_display,
                         ReadOrientation(source->elements));
  Orientation back = to_display;
  if (back.transposed) std::swap(back.left_right, back.up_down);
  GrayImage gray{mask.rows, mask.columns, {}};
  gray.pixels.assign(mask.pixels.begin(), mask.pixels.end());
  BinaryMask out = ToBinaryMask(Orient(std::move(gray), back));
  const int rows = source->elements.Uint16(kRows).value_or(0);
  const int columns = source->elements.Uint16(kColumns).value_or(0);
  if (out.rows == rows && out.columns == columns) return out;
  return absl::InvalidArgumentError(
      absl::StrCat("a mask of ", out.rows, " rows and ", out.columns,
                   " columns for an image of ", rows, " and ", columns));
}

struct Segment {
  const char *label, *code, *meaning;
  BinaryMask stored;
};

absl::StatusOr<std::vector<Segment>> SegmentsOf(const BinaryMask& mask,
                                                const DicomFile* source) {
  const auto size = static_cast<size_t>(mask.rows) * mask.columns;
  if (mask.rows < 1 || mask.columns < 1 || mask.rows > 65535 ||
      mask.columns > 65535 || mask.pixels.size() != size) {
    return absl::InvalidArgumentError(
        absl::StrCat("mask of ", mask.rows, " rows and ", mask.columns,
                     " columns with ", mask.pixels.size(), " pixels"));
  }
  std::array<BinaryMask, 2> lungs = SplitLungs(mask);
  std::vector<Segment> segments;
  for (int side = 0; side < 2; ++side) {
    if (std::count(lungs[side].pixels.begin(), lungs[side].pixels.end(), 1) ==
        0) {
      continue;
    }
    HILUM_ASSIGN_OR_RETURN(BinaryMask stored, AsStored(lungs[side], source));
    // The lung on the left of a frontal radiograph is the patient's right lung.
    segments.push_back(
        side == 0
            ? Segment{"Right lung", "3341006", "Right lung", std::move(stored)}
            : Segment{"Left lung", "44029006", "Left lung", std::move(stored)});
  }
  if (segments.empty()) {
    return absl::InvalidArgumentError("an empty mask has no lungs to write");
  }
  return segments;
}

// Packs one bit a pixel, lowest bit first; frames follow without a gap (PS3.5
// 8.1.1).
std::vector<uint8_t> PackedBits(const std::vector<Segment>& segments) {
  size_t bit = 0;
  std::vector<uint8_t> bytes;
  for (const Segment& segment : segments) {
    bytes.resize((bit + segment.stored.pixels.size() + 7) / 8);
    for (uint8_t v : segment.stored.pixels) {
      bytes[bit / 8] |= static_cast<uint8_t>(v << bit % 8);
      ++bit;
    }
  }
  if (bytes.size() % 2 != 0) bytes.push_back(0);
  return bytes;
}

struct Uids {
  std::string study, series, instance, dimensions;
};

Uids MakeUids(const std::vector<uint8_t>& bits, const BinaryMask& stored,
              const SegmentationNotes& notes, const DicomFile* source) {
  Uids uids;
  uids.study = UidIn(source, kStudyUid);
  if (uids.study.empty())
    uids.study = UidOf(kKind, {"study", notes.source_key});
  std::string of = UidIn(source, kSopInstance);
  if (of.empty()) of = notes.source_key;
  uids.series = UidOf(kKind, {"series", uids.study, of, notes.algorithm});
  const absl::string_view pixels(reinterpret_cast<const char*>(bits.data()),
                                 bits.size());
  uids.instance =
      UidOf(kKind, {"instance", uids.series, Sha256Of(pixels),
                    absl::StrCat(stored.rows, " ", stored.columns)});
  uids.dimensions = UidOf(kKind, {"dimensions", uids.instance});
  return uids;
}

// Segmentation Series, equipment, SOP Common (PS3.3 C.8.20.1, C.7.5.1,
// C.7.5.2, C.12.1).
void DescribeObject(const Uids& uids, const DicomFile* source,
                    DicomWriter& writer) {
  writer.Text(kSopClass, EVR_UI, kSegmentationClass);
  writer.Text(kSopInstance, EVR_UI, uids.instance);
  writer.Text(0x00080060, EVR_CS, "SEG");
  writer.Text(0x00080070, EVR_LO, "Hilum");
  writer.Text(0x0008103e, EVR_LO, "Lungs");
  writer.Text(0x00081090, EVR_LO, "hilum-trainer");
  writer.Text(0x00181000, EVR_LO, "none");  // Device Serial Number
  writer.Text(0x00181020, EVR_LO, DicomText(SoftwareVersion(), 64));
  writer.Text(kStudyUid, EVR_UI, uids.study);
  writer.Text(kSeriesUid, EVR_UI, uids.series);
  writer.Text(0x00200011, EVR_IS, "1");  // Series Number
  writer.Text(0x00200013, EVR_IS, "1");  // Instance Number
  const std::string date = TextIn(source, kStudyDate);
  const std::string time = TextIn(source, kStudyTime);
  writer.Text(0x00080023, EVR_DA, date.empty() ? "19700101" : date);
  writer.Text(0x00080033, EVR_TM, time.empty() ? "000000" : time);
}

// Image Pixel and Segmentation Image (PS3.3 C.7.6.3, C.8.20.2).
void DescribeSegments(const std::vector<Segment>& segments,
                      const SegmentationNotes& notes, const DicomFile* source,
                      DicomWriter& writer) {
  writer.Text(0x00080008, EVR_CS, "DERIVED\\PRIMARY");
  writer.Number(0x00280002, 1);  // Samples per Pixel
  writer.Text(0x00280004, EVR_CS, "MONOCHROME2");
  writer.Text(0x00280008, EVR_IS, absl::StrCat(segments.size()));
  writer.Number(kRows, segments[0].stored.rows);
  writer.Number(kColumns, segments[0].stored.columns);
  writer.Number(0x00280100, 1);  // Bits Allocated
  writer.Number(0x00280101, 1);  // Bits Stored
  writer.Number(0x00280102, 0);  // High Bit
  writer.Number(0x00280103, 0);  // Pixel Representation: unsigned
  const bool lossy = TextIn(source, 0x00282110) == "01";
  writer.Text(0x00282110, EVR_CS, lossy ? "01" : "00");
  if (lossy) {
    // These are type 1C if the image is lossy; a source without them violates
    // its definition.
    for (const auto& [tag, vr] :
         {std::pair{0x00282112u, EVR_DS}, std::pair{0x00282114u, EVR_CS}}) {
      const std::string text = TextIn(source, tag);
      if (!text.empty() && text.size() <= 64) writer.Text(tag, vr, text);
    }
  }
  writer.Text(0x00620001, EVR_CS, "BINARY");
  writer.Text(0x00700080, EVR_CS, "LUNGS");  // Content Label
  writer.Text(0x00700081, EVR_LO, "Lungs on a radiograph; not for diagnosis");
  writer.Text(0x00700084, EVR_PN, "");  // Content Creator's Name
  for (size_t i = 0; i < segments.size(); ++i) {
    DicomWriter segment = writer.Item(0x00620002);
    segment.Number(0x00620004, static_cast<int>(i) + 1);
    segment.Text(0x00620005, EVR_LO, segments[i].label);
    segment.Text(0x00620008, EVR_CS, "AUTOMATIC");
    const std::string algorithm = DicomText(notes.algorithm, 64);
    segment.Text(0x00620009, EVR_LO, algorithm.empty() ? "Hilum" : algorithm);
    segment.Code(0x00620003, "91723000", "SCT", "Anatomical Structure");
    segment.Code(0x0062000f, segments[i].code, "SCT", segments[i].meaning);
  }
}

// Multi-frame Dimension and Functional Groups (PS3.3 C.7.6.17, C.7.6.16): the
// only dimension is the segment.
void DescribeFrames(size_t frames, const Uids& uids, DicomWriter& writer) {
  writer.Item(0x00209221).Text(0x00209164, EVR_UI, uids.dimensions);
  DicomWriter index = writer.Item(0x00209222);
  index.Text(0x00209164, EVR_UI, uids.dimensions);
  index.Pointer(0x00209165, kReferencedSegment);
  index.Pointer(0x00209167, kSegmentIdentification);
  index.Text(0x00209421, EVR_LO, "Segment");
  for (size_t i = 0; i < frames; ++i) {
    DicomWriter group = writer.Item(0x52009230);
    group.Item(0x00209111).Index(0x00209157, static_cast<int>(i) + 1);
    group.Item(kSegmentIdentification)
        .Number(kReferencedSegment, static_cast<int>(i) + 1);
  }
}

// Common Instance Reference and Derivation Image (PS3.3 C.12.2, C.7.6.16.2.6).
void ReferTo(const DicomFile* source, DicomWriter& writer) {
  const std::string sop_class = UidIn(source, kSopClass);
  const std::string instance = UidIn(source, kSopInstance);
  const std::string series = UidIn(source, kSeriesUid);
  DicomWriter shared = writer.Item(0x52009229);
  if (sop_class.empty() || instance.empty()) return;
  const auto refer = [&](DicomWriter reference) {
    reference.Text(0x00081150, EVR_UI, sop_class);
    reference.Text(0x00081155, EVR_UI, instance);
    return reference;
  };
  DicomWriter derivation = shared.Item(0x00089124);
  derivation.Code(0x00089215, "113076", "DCM", "Segmentation");
  refer(derivation.Item(0x00082112))
      .Code(0x0040a170, "121322", "DCM",
            "Source image for image processing operation");
  if (series.empty()) return;
  DicomWriter of_series = writer.Item(0x00081115);
  refer(of_series.Item(0x0008114a));
  of_series.Text(kSeriesUid, EVR_UI, series);
}

}  // namespace

absl::StatusOr<std::string> EncodeLungSegmentation(
    const BinaryMask& mask, const SegmentationNotes& notes,
    const DicomFile* source) try {
  HILUM_ASSIGN_OR_RETURN(std::vector<Segment> segments,
                         SegmentsOf(mask, source));
  const std::vector<uint8_t> bits = PackedBits(segments);
  const Uids uids = MakeUids(bits, segments[0].stored, notes, source);
  DcmFileFormat file;
  OFCondition condition = EC_Normal;
  DicomWriter writer(file.getDataset(), condition);
  HILUM_RETURN_IF_ERROR(CopyElements(source, kFurther, writer));
  DescribeObject(uids, source, writer);
  DescribeSegments(segments, notes, source, writer);
  DescribeFrames(segments.size(), uids, writer);
  ReferTo(source, writer);
  writer.Pixels(bits);
  return EncodeDicom(file, condition, bits.size());
} catch (const std::exception& error) {
  return absl::InternalError(absl::StrCat("segmentation: ", error.what()));
}

}  // namespace hilum
