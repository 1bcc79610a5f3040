// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/write_dicom_segmentation.h"

#include <dcmtk/config/osconfig.h>
// osconfig.h comes first.
#include <dcmtk/dcmdata/dcdatset.h>
#include <dcmtk/dcmdata/dcfilefo.h>
#include <dcmtk/dcmdata/dcostrmb.h>
#include <dcmtk/dcmdata/dcwcache.h>
#include <dcmtk/dcmdata/dcxfer.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <exception>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "site_agent/imaging/dicom_segmentation.h"
#include "site_agent/imaging/orientation.h"

namespace hilum {
namespace {

constexpr DicomTag kSopClass = 0x00080016, kSopInstance = 0x00080018;
constexpr DicomTag kStudyDate = 0x00080020, kStudyTime = 0x00080030;
constexpr DicomTag kStudyUid = 0x0020000d, kSeriesUid = 0x0020000e;
constexpr DicomTag kPatientOrientation = 0x00200020;
constexpr DicomTag kRows = 0x00280010, kColumns = 0x00280011;
constexpr DicomTag kReferencedSegment = 0x0062000b;
constexpr DicomTag kSegmentIdentification = 0x0062000a;

struct CopiedElement {
  DicomTag tag;
  DcmEVR vr;
  bool required;  // type 2: there, be it empty
};

// Of the modules Patient, General Study and General Image (PS3.3 C.7.1.1,
// C.7.2.1, C.7.6.1).
constexpr CopiedElement kCopied[] = {
    {0x00080005, EVR_CS, false},  // Specific Character Set
    {kStudyDate, EVR_DA, true},          {kStudyTime, EVR_TM, true},
    {0x00080050, EVR_SH, true},   // Accession Number
    {0x00080090, EVR_PN, true},   // Referring Physician's Name
    {0x00081030, EVR_LO, false},  // Study Description
    {0x00100010, EVR_PN, true},   // Patient's Name
    {0x00100020, EVR_LO, true},   // Patient ID
    {0x00100021, EVR_LO, false},  // Issuer of Patient ID
    {0x00100030, EVR_DA, true},   // Patient's Birth Date
    {0x00100040, EVR_CS, true},   // Patient's Sex
    {0x00120062, EVR_CS, false},  // Patient Identity Removed
    {0x00120063, EVR_LO, false},  // De-identification Method
    {0x00200010, EVR_SH, true},   // Study ID
    {kPatientOrientation, EVR_CS, true},
};
constexpr size_t kMostCopiedBytes = 1024;

DcmTagKey KeyOf(DicomTag tag) {
  return DcmTagKey(static_cast<Uint16>(tag >> 16),
                   static_cast<Uint16>(tag & 0xffff));
}

// Collects the first failure; DCMTK's calls fail for want of memory alone.
class Writer {
 public:
  Writer(DcmItem* item, OFCondition& condition)
      : item_(item), condition_(condition) {}

  void Text(DicomTag tag, DcmEVR vr, absl::string_view text) {
    if (item_ == nullptr) return;
    Note(item_->putAndInsertString(DcmTag(KeyOf(tag), vr), text.data(),
                                   static_cast<Uint32>(text.size())));
  }
  void Number(DicomTag tag, int value) {
    if (item_ == nullptr) return;
    Note(item_->putAndInsertUint16(DcmTag(KeyOf(tag), EVR_US),
                                   static_cast<Uint16>(value)));
  }
  void Index(DicomTag tag, int value) {
    if (item_ == nullptr) return;
    Note(item_->putAndInsertUint32(DcmTag(KeyOf(tag), EVR_UL),
                                   static_cast<Uint32>(value)));
  }
  void Pointer(DicomTag tag, DicomTag to) {
    if (item_ == nullptr) return;
    Note(item_->putAndInsertTagKey(DcmTag(KeyOf(tag), EVR_AT), KeyOf(to)));
  }
  void Bytes(DicomTag tag, const std::vector<uint8_t>& bytes) {
    if (item_ == nullptr) return;
    Note(item_->putAndInsertUint8Array(
        DcmTag(KeyOf(tag), EVR_OB), bytes.data(),
        static_cast<unsigned long>(bytes.size())));
  }
  // Another item of a sequence.
  Writer Item(DicomTag tag) {
    DcmItem* item = nullptr;
    if (item_ != nullptr) {
      Note(item_->findOrCreateSequenceItem(DcmTag(KeyOf(tag), EVR_SQ), item,
                                           -2));
    }
    return Writer(item, condition_);
  }
  void Code(DicomTag tag, absl::string_view value, absl::string_view scheme,
            absl::string_view meaning) {
    Writer code = Item(tag);
    code.Text(0x00080100, EVR_SH, value);
    code.Text(0x00080102, EVR_SH, scheme);
    code.Text(0x00080104, EVR_LO, meaning);
  }

 private:
  void Note(const OFCondition& condition) {
    if (condition_.good()) condition_ = condition;
  }

  DcmItem* item_;
  OFCondition& condition_;
};

// "2.25." and the decimal number of a UUID (PS3.5 B.2; RFC 9562, version 8)
// of SHA-256 of the parts, each behind its length.
std::string UidOf(const std::vector<absl::string_view>& parts) {
  std::string bytes = "hilum segmentation";
  for (absl::string_view part : parts) {
    absl::StrAppend(&bytes, " ", part.size(), ":", part);
  }
  std::string uuid = Sha256Of(bytes).substr(0, 16);
  uuid[6] = static_cast<char>((uuid[6] & 0x0f) | 0x80);
  uuid[8] = static_cast<char>((uuid[8] & 0x3f) | 0x80);
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

std::string TextIn(const DicomFile* source, DicomTag tag) {
  return source == nullptr ? "" : source->elements.Text(tag);
}

// PS3.5 section 9.1, as far as it matters to who stores it.
std::string UidIn(const DicomFile* source, DicomTag tag) {
  std::string uid = TextIn(source, tag);
  const bool is = uid.size() <= 64 &&
                  uid.find_first_not_of("0123456789.") == std::string::npos;
  return is ? uid : "";
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
    const std::string text = TextIn(source, copied.tag);
    if (text.size() > kMostCopiedBytes) {
      return absl::InvalidArgumentError(absl::StrCat(
          "DICOM: element ", TagName(copied.tag), " is too long to copy"));
    }
    if (copied.required || !text.empty()) {
      writer.Text(copied.tag, copied.vr, text);
    }
  }
  return absl::OkStatus();
}

// From the display back to the stored pixels: what Orient does, undone.
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
    // A frontal radiograph has the patient's right at its left.
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

// One bit a pixel, the first in the lowest; frames follow without a gap
// (PS3.5 8.1.1).
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
  if (uids.study.empty()) uids.study = UidOf({"study", notes.source_key});
  std::string of = UidIn(source, kSopInstance);
  if (of.empty()) of = notes.source_key;
  uids.series = UidOf({"series", uids.study, of, notes.algorithm});
  const absl::string_view pixels(reinterpret_cast<const char*>(bits.data()),
                                 bits.size());
  uids.instance = UidOf({"instance", uids.series, Sha256Of(pixels),
                         absl::StrCat(stored.rows, " ", stored.columns)});
  uids.dimensions = UidOf({"dimensions", uids.instance});
  return uids;
}

// Segmentation Series, equipment, SOP Common (PS3.3 C.8.20.1, C.7.5.1,
// C.7.5.2, C.12.1).
void DescribeObject(const Uids& uids, const DicomFile* source, Writer& writer) {
  writer.Text(kSopClass, EVR_UI, kSegmentationClass);
  writer.Text(kSopInstance, EVR_UI, uids.instance);
  writer.Text(0x00080060, EVR_CS, "SEG");
  writer.Text(0x00080070, EVR_LO, "Hilum");
  writer.Text(0x0008103e, EVR_LO, "Lungs");
  writer.Text(0x00081090, EVR_LO, "hilum-trainer");
  writer.Text(0x00181000, EVR_LO, "none");  // Device Serial Number
  writer.Text(0x00181020, EVR_LO, Printable(SoftwareVersion(), 64));
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
                      Writer& writer) {
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
    // Type 1C beside it; a source without them is against its own definition.
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
    Writer segment = writer.Item(0x00620002);
    segment.Number(0x00620004, static_cast<int>(i) + 1);
    segment.Text(0x00620005, EVR_LO, segments[i].label);
    segment.Text(0x00620008, EVR_CS, "AUTOMATIC");
    const std::string algorithm = Printable(notes.algorithm, 64);
    segment.Text(0x00620009, EVR_LO, algorithm.empty() ? "Hilum" : algorithm);
    segment.Code(0x00620003, "91723000", "SCT", "Anatomical Structure");
    segment.Code(0x0062000f, segments[i].code, "SCT", segments[i].meaning);
  }
}

// Multi-frame Dimension and Functional Groups (PS3.3 C.7.6.17, C.7.6.16): the
// only dimension is the segment.
void DescribeFrames(size_t frames, const Uids& uids, Writer& writer) {
  writer.Item(0x00209221).Text(0x00209164, EVR_UI, uids.dimensions);
  Writer index = writer.Item(0x00209222);
  index.Text(0x00209164, EVR_UI, uids.dimensions);
  index.Pointer(0x00209165, kReferencedSegment);
  index.Pointer(0x00209167, kSegmentIdentification);
  index.Text(0x00209421, EVR_LO, "Segment");
  for (size_t i = 0; i < frames; ++i) {
    Writer group = writer.Item(0x52009230);
    group.Item(0x00209111).Index(0x00209157, static_cast<int>(i) + 1);
    group.Item(kSegmentIdentification)
        .Number(kReferencedSegment, static_cast<int>(i) + 1);
  }
}

// Common Instance Reference and Derivation Image (PS3.3 C.12.2, C.7.6.16.2.6).
void ReferTo(const DicomFile* source, Writer& writer) {
  const std::string sop_class = UidIn(source, kSopClass);
  const std::string instance = UidIn(source, kSopInstance);
  const std::string series = UidIn(source, kSeriesUid);
  Writer shared = writer.Item(0x52009229);
  if (sop_class.empty() || instance.empty()) return;
  const auto refer = [&](Writer reference) {
    reference.Text(0x00081150, EVR_UI, sop_class);
    reference.Text(0x00081155, EVR_UI, instance);
    return reference;
  };
  Writer derivation = shared.Item(0x00089124);
  derivation.Code(0x00089215, "113076", "DCM", "Segmentation");
  refer(derivation.Item(0x00082112))
      .Code(0x0040a170, "121322", "DCM",
            "Source image for image processing operation");
  if (series.empty()) return;
  Writer of_series = writer.Item(0x00081115);
  refer(of_series.Item(0x0008114a));
  of_series.Text(kSeriesUid, EVR_UI, series);
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

absl::StatusOr<std::string> EncodeLungSegmentation(
    const BinaryMask& mask, const SegmentationNotes& notes,
    const DicomFile* source) try {
  HILUM_ASSIGN_OR_RETURN(std::vector<Segment> segments,
                         SegmentsOf(mask, source));
  const std::vector<uint8_t> bits = PackedBits(segments);
  const Uids uids = MakeUids(bits, segments[0].stored, notes, source);
  DcmFileFormat file;
  OFCondition condition = EC_Normal;
  Writer writer(file.getDataset(), condition);
  HILUM_RETURN_IF_ERROR(CopyElements(source, writer));
  DescribeObject(uids, source, writer);
  DescribeSegments(segments, notes, source, writer);
  DescribeFrames(segments.size(), uids, writer);
  ReferTo(source, writer);
  writer.Bytes(kPixelDataTag, bits);
  if (condition.bad()) {
    return absl::InternalError(absl::StrCat("DCMTK: ", condition.text()));
  }
  return Encoded(file,
                 bits.size() + (std::size(kCopied) + 64) * kMostCopiedBytes);
} catch (const std::exception& error) {
  return absl::InternalError(absl::StrCat("segmentation: ", error.what()));
}

}  // namespace hilum
