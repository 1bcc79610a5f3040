// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/dicom_write/write_secondary_capture.h"

#include <dcmtk/config/osconfig.h>
// osconfig.h comes first.
#include <dcmtk/dcmdata/dcdatset.h>
#include <dcmtk/dcmdata/dcfilefo.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <exception>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "site_agent/imaging/dicom/patient_orientation.h"
#include "site_agent/imaging/dicom_write/dicom_writer.h"

namespace hilum {
namespace {

constexpr char kSecondaryCaptureClass[] = "1.2.840.10008.5.1.4.1.1.7";
constexpr DicomTag kSopClassUid = 0x00080016;
constexpr DicomTag kSopInstanceUid = 0x00080018;
constexpr DicomTag kStudyInstanceUid = 0x0020000d;
constexpr DicomTag kPatientOrientation = 0x00200020;
constexpr DicomTag kBurnedIn = 0x00280301;
constexpr DicomTag kLossyCompression = 0x00282110;

constexpr char kKind[] = "secondary capture";  // of its UIDs
constexpr CopiedElement kFurther[] = {
    {0x00180015, EVR_CS, false},  // Body Part Examined
    {kBurnedIn, EVR_CS, false},
};

absl::Status CheckPicture(const RgbImage& picture) {
  const auto rows = static_cast<size_t>(picture.rows);
  const auto columns = static_cast<size_t>(picture.columns);
  if (picture.rows < 1 || picture.columns < 1 || rows > 65535 ||
      columns > 65535 || picture.pixels.size() != rows * columns * 3) {
    return absl::InvalidArgumentError(absl::StrCat(
        "secondary capture of ", picture.rows, " rows and ", picture.columns,
        " columns with ", picture.pixels.size(), " samples"));
  }
  return absl::OkStatus();
}

struct Uids {
  std::string study, series, instance;
};

Uids MakeUids(const RgbImage& picture, const CaptureNotes& notes,
              const DicomFile* source) {
  Uids uids;
  uids.study = UidIn(source, kStudyInstanceUid);
  if (uids.study.empty())
    uids.study = UidOf(kKind, {"study", notes.source_key});
  std::string of = UidIn(source, kSopInstanceUid);
  if (of.empty()) of = notes.source_key;
  uids.series = UidOf(kKind, {"series", uids.study, of, notes.series_key});
  const std::string digest = Sha256Of(
      absl::string_view(reinterpret_cast<const char*>(picture.pixels.data()),
                        picture.pixels.size()));
  uids.instance = UidOf(
      kKind, {"instance", uids.series, notes.derivation,
              absl::StrCat(notes.instance_number, " ", picture.rows), digest});
  return uids;
}

// Writes General Reference (PS3.3 C.12.4), with the source image's purpose by
// CID 7202.
void ReferTo(const DicomFile* source, DicomWriter& writer) {
  const std::string sop_class = UidIn(source, kSopClassUid);
  const std::string instance = UidIn(source, kSopInstanceUid);
  if (sop_class.empty() || instance.empty()) return;
  // Referenced Image Sequence, Source Image Sequence.
  for (DicomTag sequence : {0x00081140u, 0x00082112u}) {
    DicomWriter reference = writer.Item(sequence);
    reference.Text(0x00081150, EVR_UI, sop_class);
    reference.Text(0x00081155, EVR_UI, instance);
    if (sequence == 0x00081140u) continue;
    reference.Code(0x0040a170, "121322", "DCM",
                   "Source image for image processing operation");
  }
}

bool IsLossy(const DicomFile& source) {
  if (source.elements.Text(kLossyCompression) == "01") return true;
  for (const char* lossy : {".4.50", ".4.51", ".4.81", ".4.91", ".4.203"}) {
    if (absl::EndsWith(source.syntax->uid, lossy)) return true;
  }
  return false;
}

// Writes Pixel Aspect Ratio if pixels are known not to be square. Leaves out
// pixel sizes: nobody should measure in such a picture.
void DescribeAspect(const DicomFile& source, DicomWriter& writer) {
  for (DicomTag tag : {0x00181164u, 0x00280030u}) {
    auto spacing = source.elements.Numbers(tag);
    if (!spacing.ok() || spacing->size() != 2) continue;
    auto [row, column] = std::pair((*spacing)[0], (*spacing)[1]);
    if (!(row > 1e-3 && row < 1e3 && column > 1e-3 && column < 1e3)) continue;
    auto orientation = ReadOrientation(source.elements);
    if (orientation.ok() && orientation->transposed) std::swap(row, column);
    if (std::abs(row / column - 1) < 1e-4) return;
    writer.Text(
        0x00280034, EVR_IS,
        absl::StrCat(std::lround(row * 1e4), "\\", std::lround(column * 1e4)));
    return;
  }
}

// General Image, Image Pixel and SC Image (PS3.3 C.7.6.1, C.7.6.3, C.8.6.2).
void DescribeImage(const RgbImage& picture, const CaptureNotes& notes,
                   const DicomFile* source, DicomWriter& writer) {
  writer.Text(0x00080008, EVR_CS, "DERIVED\\SECONDARY");
  writer.Text(0x00082111, EVR_ST, DicomText(notes.derivation, 1024));
  writer.Text(0x00200013, EVR_IS, absl::StrCat(notes.instance_number));
  const bool oriented = source != nullptr && SaysOrientation(source->elements);
  writer.Text(kPatientOrientation, EVR_CS, oriented ? "L\\F" : "");
  if (notes.lossy_source || (source != nullptr && IsLossy(*source))) {
    writer.Text(kLossyCompression, EVR_CS, "01");
  }
  if (source != nullptr) DescribeAspect(*source, writer);
  writer.Number(0x00280002, 3);  // Samples per Pixel
  writer.Text(0x00280004, EVR_CS, "RGB");
  writer.Number(0x00280006, 0);  // Planar Configuration: by pixel
  writer.Number(0x00280010, picture.rows);
  writer.Number(0x00280011, picture.columns);
  writer.Number(0x00280100, 8);  // Bits Allocated
  writer.Number(0x00280101, 8);  // Bits Stored
  writer.Number(0x00280102, 7);  // High Bit
  writer.Number(0x00280103, 0);  // Pixel Representation: unsigned
  writer.Pixels(picture.pixels);
}

// General Series, General Equipment, SC Equipment, SOP Common (PS3.3 C.7.3.1,
// C.7.5.1, C.8.6.1, C.12.1).
void DescribeCapture(const Uids& uids, const CaptureNotes& notes,
                     DicomWriter& writer) {
  writer.Text(kSopClassUid, EVR_UI, kSecondaryCaptureClass);
  writer.Text(kSopInstanceUid, EVR_UI, uids.instance);
  writer.Text(0x00080060, EVR_CS, "OT");   // Modality
  writer.Text(0x00080064, EVR_CS, "WSD");  // Conversion Type
  writer.Text(0x00080070, EVR_LO, "Hilum");
  writer.Text(0x0008103e, EVR_LO, DicomText(notes.series_description, 64));
  writer.Text(0x00081090, EVR_LO, "hilum-trainer");
  writer.Text(0x00181020, EVR_LO, DicomText(SoftwareVersion(), 64));
  writer.Text(kStudyInstanceUid, EVR_UI, uids.study);
  writer.Text(0x0020000e, EVR_UI, uids.series);
  writer.Text(0x00200011, EVR_IS, "");  // Series Number
}

}  // namespace

absl::StatusOr<std::string> EncodeSecondaryCapture(
    const RgbImage& picture, const CaptureNotes& notes,
    const DicomFile* source) try {
  HILUM_RETURN_IF_ERROR(CheckPicture(picture));
  DcmFileFormat file;
  OFCondition condition = EC_Normal;
  DicomWriter writer(file.getDataset(), condition);
  HILUM_RETURN_IF_ERROR(CopyElements(source, kFurther, writer));
  DescribeCapture(MakeUids(picture, notes, source), notes, writer);
  ReferTo(source, writer);
  DescribeImage(picture, notes, source, writer);
  return EncodeDicom(file, condition, picture.pixels.size());
} catch (const std::exception& error) {
  return absl::InternalError(absl::StrCat("secondary capture: ", error.what()));
}

}  // namespace hilum
