// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/write_secondary_capture.h"

#include <dcmtk/config/osconfig.h>
// osconfig.h comes first.
#include <dcmtk/dcmdata/dcdatset.h>
#include <dcmtk/dcmdata/dcfilefo.h>
#include <dcmtk/dcmdata/dcostrmb.h>
#include <dcmtk/dcmdata/dcwcache.h>
#include <dcmtk/dcmdata/dcxfer.h>

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
#include "site_agent/imaging/orientation.h"

namespace hilum {
namespace {

constexpr char kSecondaryCaptureClass[] = "1.2.840.10008.5.1.4.1.1.7";
constexpr DicomTag kSopClassUid = 0x00080016;
constexpr DicomTag kSopInstanceUid = 0x00080018;
constexpr DicomTag kStudyInstanceUid = 0x0020000d;
constexpr DicomTag kPatientOrientation = 0x00200020;
constexpr DicomTag kBurnedIn = 0x00280301;
constexpr DicomTag kIdentityRemoved = 0x00120062;
constexpr DicomTag kDeidentificationMethod = 0x00120063;
constexpr DicomTag kLossyCompression = 0x00282110;

struct CopiedElement {
  DicomTag tag;
  DcmEVR vr;
  bool required;  // type 2: there, be it empty
};

// Of the modules Patient, General Study and General Series (PS3.3 C.7.1.1,
// C.7.2.1, C.7.3.1), in the order of their tags.
constexpr CopiedElement kCopied[] = {
    {0x00080005, EVR_CS, false},  // Specific Character Set
    {0x00080020, EVR_DA, true},   // Study Date
    {0x00080030, EVR_TM, true},   // Study Time
    {0x00080050, EVR_SH, true},   // Accession Number
    {0x00080090, EVR_PN, true},   // Referring Physician's Name
    {0x00081030, EVR_LO, false},  // Study Description
    {0x00100010, EVR_PN, true},   // Patient's Name
    {0x00100020, EVR_LO, true},   // Patient ID
    {0x00100021, EVR_LO, false},  // Issuer of Patient ID
    {0x00100030, EVR_DA, true},   // Patient's Birth Date
    {0x00100040, EVR_CS, true},   // Patient's Sex
    {kIdentityRemoved, EVR_CS, false}, {kDeidentificationMethod, EVR_LO, false},
    {0x00180015, EVR_CS, false},  // Body Part Examined
    {0x00200010, EVR_SH, true},   // Study ID
    {kBurnedIn, EVR_CS, false},
};
constexpr size_t kMostCopiedBytes = 1024;

DcmTag TagOf(DicomTag tag, DcmEVR vr) {
  return DcmTag(static_cast<Uint16>(tag >> 16),
                static_cast<Uint16>(tag & 0xffff), vr);
}

// Collects the first failure; DCMTK's calls fail for want of memory alone.
class Writer {
 public:
  explicit Writer(DcmItem& item) : item_(item) {}

  void Text(DicomTag tag, DcmEVR vr, absl::string_view text) {
    Note(item_.putAndInsertString(TagOf(tag, vr), text.data(),
                                  static_cast<Uint32>(text.size())));
  }
  void Number(DicomTag tag, int value) {
    Note(item_.putAndInsertUint16(TagOf(tag, EVR_US),
                                  static_cast<Uint16>(value)));
  }
  // The only item of a sequence; null: failed.
  DcmItem* Item(DicomTag tag) {
    DcmItem* item = nullptr;
    Note(item_.findOrCreateSequenceItem(TagOf(tag, EVR_SQ), item, 0));
    return item;
  }
  void Pixels(const std::vector<uint8_t>& pixels) {
    Note(item_.putAndInsertUint8Array(
        TagOf(kPixelDataTag, EVR_OB), pixels.data(),
        static_cast<unsigned long>(pixels.size())));
  }
  const OFCondition& condition() const { return condition_; }

 private:
  void Note(const OFCondition& condition) {
    if (condition_.good()) condition_ = condition;
  }

  DcmItem& item_;
  OFCondition condition_ = EC_Normal;
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

// PS3.5 section 9.1, as far as it matters to who stores it.
bool IsUid(absl::string_view text) {
  return !text.empty() && text.size() <= 64 &&
         text.find_first_not_of("0123456789.") == absl::string_view::npos;
}

std::string UidIn(const DicomFile* source, DicomTag tag) {
  if (source == nullptr) return "";
  std::string uid = source->elements.Text(tag);
  return IsUid(uid) ? uid : "";
}

std::string Printable(absl::string_view text, size_t most) {
  std::string out(text.substr(0, most));
  for (char& c : out) {
    if (c < 0x20 || c > 0x7e) c = '?';
    if (c == '\\') c = '/';  // it parts values
  }
  return out;
}

absl::Status CopyElements(const DicomFile* source, Writer& writer) {
  for (const CopiedElement& copied : kCopied) {
    const std::string text =
        source == nullptr ? "" : source->elements.Text(copied.tag);
    if (text.size() > kMostCopiedBytes) {
      return absl::InvalidArgumentError(absl::StrCat(
          "DICOM: element ", TagName(copied.tag), " is too long to copy"));
    }
    if (copied.required || !text.empty()) {
      writer.Text(copied.tag, copied.vr, text);
    }
  }
  // Type 1C once the identity is removed; the source's own code sequence in
  // its place is not copied.
  if (source != nullptr && source->elements.Text(kIdentityRemoved) == "YES" &&
      source->elements.Text(kDeidentificationMethod).empty()) {
    writer.Text(kDeidentificationMethod, EVR_LO, "As of the source image");
  }
  return absl::OkStatus();
}

// Its UIDs; the keys are hashed with their lengths, so that no two inputs are
// the same bytes.
struct Uids {
  std::string study, series, instance;
};

Uids MakeUids(const RgbImage& picture, const CaptureNotes& notes,
              const DicomFile* source) {
  auto made_of = [](std::vector<absl::string_view> parts) {
    std::string bytes = "hilum secondary capture";
    for (absl::string_view part : parts) {
      absl::StrAppend(&bytes, " ", part.size(), ":", part);
    }
    return UidFromBytes(bytes);
  };
  Uids uids;
  uids.study = UidIn(source, kStudyInstanceUid);
  if (uids.study.empty()) uids.study = made_of({"study", notes.source_key});
  std::string of = UidIn(source, kSopInstanceUid);
  if (of.empty()) of = notes.source_key;
  uids.series = made_of({"series", uids.study, of, notes.series_key});
  const std::string digest = Sha256Of(
      absl::string_view(reinterpret_cast<const char*>(picture.pixels.data()),
                        picture.pixels.size()));
  uids.instance =
      made_of({"instance", uids.series, notes.derivation,
               absl::StrCat(notes.instance_number, " ", picture.rows), digest});
  return uids;
}

// General Reference (PS3.3 C.12.4); of the source image also its purpose, by
// CID 7202.
void ReferTo(const DicomFile* source, Writer& writer) {
  const std::string sop_class = UidIn(source, kSopClassUid);
  const std::string instance = UidIn(source, kSopInstanceUid);
  if (sop_class.empty() || instance.empty()) return;
  // Referenced Image Sequence, Source Image Sequence.
  for (DicomTag sequence : {0x00081140u, 0x00082112u}) {
    DcmItem* item = writer.Item(sequence);
    if (item == nullptr) return;
    Writer reference(*item);
    reference.Text(0x00081150, EVR_UI, sop_class);
    reference.Text(0x00081155, EVR_UI, instance);
    if (sequence == 0x00081140u) continue;
    DcmItem* purpose = reference.Item(0x0040a170);
    if (purpose == nullptr) return;
    Writer code(*purpose);
    code.Text(0x00080100, EVR_SH, "121322");
    code.Text(0x00080102, EVR_SH, "DCM");
    code.Text(0x00080104, EVR_LO,
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

// Pixel Aspect Ratio, where pixels are known not to be square. Sizes of pixels
// are left out: nothing should be measured in such a picture.
void DescribeAspect(const DicomFile& source, Writer& writer) {
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
                   const DicomFile* source, Writer& writer) {
  writer.Text(0x00080008, EVR_CS, "DERIVED\\SECONDARY");
  writer.Text(0x00082111, EVR_ST, Printable(notes.derivation, 1024));
  writer.Text(0x00200013, EVR_IS, absl::StrCat(notes.instance_number));
  const bool oriented =
      source != nullptr && !source->elements.Text(kPatientOrientation).empty();
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
                     Writer& writer) {
  writer.Text(kSopClassUid, EVR_UI, kSecondaryCaptureClass);
  writer.Text(kSopInstanceUid, EVR_UI, uids.instance);
  writer.Text(0x00080060, EVR_CS, "OT");   // Modality
  writer.Text(0x00080064, EVR_CS, "WSD");  // Conversion Type
  writer.Text(0x00080070, EVR_LO, "Hilum");
  writer.Text(0x0008103e, EVR_LO, Printable(notes.series_description, 64));
  writer.Text(0x00081090, EVR_LO, "hilum-trainer");
  writer.Text(0x00181020, EVR_LO, Printable(SoftwareVersion(), 64));
  writer.Text(kStudyInstanceUid, EVR_UI, uids.study);
  writer.Text(0x0020000e, EVR_UI, uids.series);
  writer.Text(0x00200011, EVR_IS, "");  // Series Number
}

absl::StatusOr<std::string> Encoded(DcmFileFormat& file, size_t most) {
  std::string bytes(most, '\0');
  DcmOutputBufferStream stream(bytes.data(),
                               static_cast<offile_off_t>(bytes.size()));
  DcmWriteCache cache;
  file.transferInit();
  const OFCondition written =
      file.write(stream, EXS_LittleEndianExplicit, EET_ExplicitLength, &cache,
                 EGL_recalcGL, EPD_noChange);
  file.transferEnd();
  void* start = nullptr;
  offile_off_t size = 0;
  stream.flushBuffer(start, size);
  if (written.bad()) {
    return absl::InternalError(absl::StrCat("DCMTK: ", written.text()));
  }
  bytes.resize(static_cast<size_t>(size));
  return bytes;
}

}  // namespace

std::string UidFromBytes(absl::string_view bytes) {
  std::string uuid = Sha256Of(bytes).substr(0, 16);
  uuid[6] = static_cast<char>((uuid[6] & 0x0f) | 0x80);  // version 8
  uuid[8] = static_cast<char>((uuid[8] & 0x3f) | 0x80);  // the RFC's variant
  std::string digits;
  while (uuid.find_first_not_of('\0') != std::string::npos) {
    int rest = 0;  // long division by ten
    for (char& c : uuid) {
      const int value = rest * 256 + static_cast<uint8_t>(c);
      c = static_cast<char>(value / 10);
      rest = value % 10;
    }
    digits.push_back(static_cast<char>('0' + rest));
  }
  std::reverse(digits.begin(), digits.end());
  return absl::StrCat("2.25.", digits);
}

absl::StatusOr<std::string> EncodeSecondaryCapture(
    const RgbImage& picture, const CaptureNotes& notes,
    const DicomFile* source) try {
  HILUM_RETURN_IF_ERROR(CheckPicture(picture));
  DcmFileFormat file;
  Writer writer(*file.getDataset());
  HILUM_RETURN_IF_ERROR(CopyElements(source, writer));
  DescribeCapture(MakeUids(picture, notes, source), notes, writer);
  ReferTo(source, writer);
  DescribeImage(picture, notes, source, writer);
  if (writer.condition().bad()) {
    return absl::InternalError(
        absl::StrCat("DCMTK: ", writer.condition().text()));
  }
  return Encoded(file, picture.pixels.size() +
                           (std::size(kCopied) + 64) * kMostCopiedBytes);
} catch (const std::exception& error) {
  return absl::InternalError(absl::StrCat("secondary capture: ", error.what()));
}

}  // namespace hilum
