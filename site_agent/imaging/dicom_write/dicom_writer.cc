// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/dicom_write/dicom_writer.h"

#include <dcmtk/dcmdata/dcdatset.h>
#include <dcmtk/dcmdata/dcostrmb.h>
#include <dcmtk/dcmdata/dcwcache.h>
#include <dcmtk/dcmdata/dcxfer.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

constexpr size_t kMostCopiedBytes = 1024;
constexpr size_t kMostElements = 128;  // elements that long, without pixels
constexpr DicomTag kIdentityRemoved = 0x00120062;
constexpr DicomTag kDeidentificationMethod = 0x00120063;

// Ordered by tag.
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
    {0x00200010, EVR_SH, true},  // Study ID
};

DcmTagKey KeyOf(DicomTag tag) {
  return DcmTagKey(static_cast<Uint16>(tag >> 16),
                   static_cast<Uint16>(tag & 0xffff));
}

absl::Status Copy(const DicomFile* source,
                  absl::Span<const CopiedElement> elements,
                  DicomWriter& writer) {
  for (const CopiedElement& copied : elements) {
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

}  // namespace

void DicomWriter::Note(const OFCondition& condition) {
  if (condition_.good()) condition_ = condition;
}

void DicomWriter::Text(DicomTag tag, DcmEVR vr, absl::string_view text) {
  if (item_ == nullptr) return;
  Note(item_->putAndInsertString(DcmTag(KeyOf(tag), vr), text.data(),
                                 static_cast<Uint32>(text.size())));
}

void DicomWriter::Number(DicomTag tag, int value) {
  if (item_ == nullptr) return;
  Note(item_->putAndInsertUint16(DcmTag(KeyOf(tag), EVR_US),
                                 static_cast<Uint16>(value)));
}

void DicomWriter::Index(DicomTag tag, int value) {
  if (item_ == nullptr) return;
  Note(item_->putAndInsertUint32(DcmTag(KeyOf(tag), EVR_UL),
                                 static_cast<Uint32>(value)));
}

void DicomWriter::Pointer(DicomTag tag, DicomTag to) {
  if (item_ == nullptr) return;
  Note(item_->putAndInsertTagKey(DcmTag(KeyOf(tag), EVR_AT), KeyOf(to)));
}

void DicomWriter::Pixels(const std::vector<uint8_t>& bytes) {
  if (item_ == nullptr) return;
  Note(item_->putAndInsertUint8Array(DcmTag(KeyOf(kPixelDataTag), EVR_OB),
                                     bytes.data(),
                                     static_cast<unsigned long>(bytes.size())));
}

DicomWriter DicomWriter::Item(DicomTag tag) {
  DcmItem* item = nullptr;
  if (item_ != nullptr) {
    Note(item_->findOrCreateSequenceItem(DcmTag(KeyOf(tag), EVR_SQ), item, -2));
  }
  return DicomWriter(item, condition_);
}

void DicomWriter::Code(DicomTag tag, absl::string_view value,
                       absl::string_view scheme, absl::string_view meaning) {
  DicomWriter code = Item(tag);
  code.Text(0x00080100, EVR_SH, value);
  code.Text(0x00080102, EVR_SH, scheme);
  code.Text(0x00080104, EVR_LO, meaning);
}

std::string TextIn(const DicomFile* source, DicomTag tag) {
  return source == nullptr ? "" : source->elements.Text(tag);
}

std::string UidIn(const DicomFile* source, DicomTag tag) {
  std::string uid = TextIn(source, tag);
  const bool is = uid.size() <= 64 &&
                  uid.find_first_not_of("0123456789.") == std::string::npos;
  return is ? uid : "";
}

absl::Status CopyElements(const DicomFile* source,
                          absl::Span<const CopiedElement> further,
                          DicomWriter& writer) {
  HILUM_RETURN_IF_ERROR(Copy(source, kCopied, writer));
  HILUM_RETURN_IF_ERROR(Copy(source, further, writer));
  // Type 1C if the identity is removed. The source's code sequence, which can
  // replace it, is not copied.
  if (TextIn(source, kIdentityRemoved) == "YES" &&
      TextIn(source, kDeidentificationMethod).empty()) {
    writer.Text(kDeidentificationMethod, EVR_LO, "As of the source image");
  }
  return absl::OkStatus();
}

std::string DicomText(absl::string_view text, size_t most) {
  std::string out(text.substr(0, most));
  for (char& c : out) {
    if (c < 0x20 || c > 0x7e) c = '?';
    if (c == '\\') c = '/';  // it separates values
  }
  return out;
}

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

std::string UidOf(absl::string_view kind,
                  const std::vector<absl::string_view>& parts) {
  std::string bytes = absl::StrCat("hilum ", kind);
  for (absl::string_view part : parts) {
    absl::StrAppend(&bytes, " ", part.size(), ":", part);
  }
  return UidFromBytes(bytes);
}

absl::StatusOr<std::string> EncodeDicom(DcmFileFormat& file,
                                        const OFCondition& condition,
                                        size_t payload) {
  if (condition.bad()) {
    return absl::InternalError(absl::StrCat("DCMTK: ", condition.text()));
  }
  std::string bytes(payload + kMostElements * kMostCopiedBytes, '\0');
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

}  // namespace hilum
