// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/dicom/dicom_reader.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

constexpr uint32_t kUndefinedLength = 0xffffffff;
constexpr DicomTag kItem = 0xfffee000;
constexpr DicomTag kItemEnd = 0xfffee00d;
constexpr DicomTag kSequenceEnd = 0xfffee0dd;

// Returns whether a VR is in PS3.5 table 7.1-2: with a length of two bytes, or
// of four.
bool IsVr(absl::string_view vr) {
  return absl::ascii_isupper(vr[0]) && absl::ascii_isupper(vr[1]);
}

bool HasShortLength(absl::string_view vr) {
  static constexpr absl::string_view kShort =
      "AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US ";
  return IsVr(vr) && kShort.find(vr) != absl::string_view::npos;
}

bool HasLongLength(absl::string_view vr) {
  static constexpr absl::string_view kLong =
      "OB OD OF OL OV OW SQ SV UC UN UR UT UV ";
  return IsVr(vr) && kLong.find(vr) != absl::string_view::npos;
}

// Returns the VR for a message, or its bytes if they are not letters.
std::string VrName(absl::string_view vr) {
  if (IsVr(vr)) return std::string(vr);
  return absl::StrFormat("0x%02x%02x", static_cast<uint8_t>(vr[0]),
                         static_cast<uint8_t>(vr[1]));
}

absl::Status TooDeep() {
  return absl::ResourceExhaustedError(absl::StrCat(
      "DICOM: sequences nested over ", kMaxDicomDepth, " levels deep"));
}

}  // namespace

absl::StatusOr<uint64_t> DicomReader::ReadInteger(int bytes) {
  if (bytes_.size() - position_ < static_cast<size_t>(bytes)) {
    return absl::InvalidArgumentError("DICOM: the file ends in its header");
  }
  uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) {
    const int at = encoding_.big_endian ? i : bytes - 1 - i;
    value = value << 8 | static_cast<uint8_t>(bytes_[position_ + at]);
  }
  position_ += bytes;
  return value;
}

absl::StatusOr<DicomTag> DicomReader::PeekTag() {
  const size_t start = position_;
  HILUM_ASSIGN_OR_RETURN(uint64_t group, ReadInteger(2));
  HILUM_ASSIGN_OR_RETURN(uint64_t element, ReadInteger(2));
  position_ = start;
  return static_cast<DicomTag>(group << 16 | element);
}

bool DicomReader::IsPlausibleEnd(DicomTag tag, uint64_t end) const {
  if (end == bytes_.size()) return true;
  if (end + 8 > bytes_.size()) return false;
  DicomReader next(bytes_.substr(end), encoding_, depth_);
  const absl::StatusOr<DicomTag> next_tag = next.PeekTag();
  if (!next_tag.ok() || *next_tag <= tag) return false;
  const absl::string_view vr = bytes_.substr(end + 4, 2);
  return HasShortLength(vr) || HasLongLength(vr) ||
         *next_tag >> 16 == 0xfffe;  // the end of an item or a sequence
}

absl::StatusOr<uint32_t> DicomReader::ReadUnknownLength(DicomTag tag,
                                                        absl::string_view vr) {
  const size_t start = position_;
  // A future VR of the standard has two zero bytes and a length of four;
  // writers of their own VRs mostly use a length of two.
  for (const bool is_long : {IsVr(vr), !IsVr(vr)}) {
    position_ = start;
    const absl::Status skipped =
        is_long ? ReadInteger(2).status() : absl::OkStatus();
    if (!skipped.ok()) continue;
    const absl::StatusOr<uint64_t> length = ReadInteger(is_long ? 4 : 2);
    if (!length.ok()) continue;
    const bool undefined = is_long && *length == kUndefinedLength;
    if (undefined || IsPlausibleEnd(tag, position_ + *length)) {
      return static_cast<uint32_t>(*length);
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("DICOM: element ", TagName(tag),
                   " has the value representation ", VrName(vr),
                   ", which the standard does not have, and no length that "
                   "fits; write the file anew without it"));
}

absl::StatusOr<uint32_t> DicomReader::ReadLength(DicomTag tag,
                                                 DicomElement& element) {
  if (!encoding_.explicit_vr) return ReadInteger(4);
  if (bytes_.size() - position_ < 2) {
    return absl::InvalidArgumentError("DICOM: the file ends in its header");
  }
  const absl::string_view vr = bytes_.substr(position_, 2);
  position_ += 2;
  if (HasShortLength(vr)) {
    element.vr = std::string(vr);
    return ReadInteger(2);
  }
  if (!HasLongLength(vr)) {
    element.vr = "UN";
    return ReadUnknownLength(tag, vr);
  }
  element.vr = std::string(vr);
  HILUM_RETURN_IF_ERROR(ReadInteger(2).status());
  return ReadInteger(4);
}

absl::StatusOr<absl::string_view> DicomReader::Take(uint32_t length,
                                                    DicomTag tag) {
  if (length > bytes_.size() - position_) {
    return absl::InvalidArgumentError(absl::StrCat(
        "DICOM: element ", TagName(tag), " of ", length, " bytes, and only ",
        bytes_.size() - position_, " are there"));
  }
  absl::string_view value = bytes_.substr(position_, length);
  position_ += length;
  return value;
}

absl::Status DicomReader::ReadElement(DicomTag tag, DicomElement& element) {
  if (tag >> 16 == 0xfffe) {
    return absl::InvalidArgumentError("DICOM: an item outside a sequence");
  }
  position_ += 4;
  HILUM_ASSIGN_OR_RETURN(uint32_t length, ReadLength(tag, element));
  if (length != kUndefinedLength) {
    HILUM_ASSIGN_OR_RETURN(element.value, Take(length, tag));
    return absl::OkStatus();
  }
  if (tag == kPixelDataTag) return ReadFragments(element);
  return ReadSequence(element);
}

absl::Status DicomReader::SkipInside(DicomEncoding encoding,
                                     DicomElement& element) {
  DicomReader inside(bytes_.substr(position_), encoding, depth_ + 1);
  inside.second_tries_ = second_tries_;
  const absl::Status status = inside.SkipSequence();
  second_tries_ = inside.second_tries_;
  HILUM_RETURN_IF_ERROR(status);
  element.value = bytes_.substr(position_, inside.position_);
  position_ += inside.position_;
  return absl::OkStatus();
}

absl::Status DicomReader::ReadSequence(DicomElement& element) {
  if (depth_ == kMaxDicomDepth) return TooDeep();
  if (element.vr != "UN") return SkipInside(encoding_, element);
  const absl::Status as_unknown = SkipInside(kUnknownVrEncoding, element);
  if (as_unknown.ok() || second_tries_ == 0) return as_unknown;
  // Some writers mark a sequence as UN but keep the encoding of its items.
  --second_tries_;
  if (!SkipInside(encoding_, element).ok()) return as_unknown;
  element.vr = "SQ";
  return absl::OkStatus();
}

absl::StatusOr<bool> DicomReader::ReadItem(absl::string_view& item) {
  HILUM_ASSIGN_OR_RETURN(DicomTag tag, PeekTag());
  position_ += 4;
  HILUM_ASSIGN_OR_RETURN(uint64_t length, ReadInteger(4));
  if (tag == kSequenceEnd) return false;
  if (tag != kItem) {
    return absl::InvalidArgumentError(
        absl::StrCat("DICOM: ", TagName(tag), " where an item should be"));
  }
  if (length != kUndefinedLength) {
    HILUM_ASSIGN_OR_RETURN(item, Take(static_cast<uint32_t>(length), tag));
    return true;
  }
  const size_t start = position_;
  HILUM_RETURN_IF_ERROR(SkipItem());
  item = bytes_.substr(start, position_ - start - 8);
  return true;
}

// Skips to the end of the current item, past its delimiter.
absl::Status DicomReader::SkipItem() {
  for (;;) {
    HILUM_ASSIGN_OR_RETURN(DicomTag tag, PeekTag());
    if (tag == kItemEnd) {
      position_ += 4;
      return ReadInteger(4).status();
    }
    DicomElement skipped;
    HILUM_RETURN_IF_ERROR(ReadElement(tag, skipped));
  }
}

absl::Status DicomReader::SkipSequence() {
  for (;;) {
    absl::string_view item;
    HILUM_ASSIGN_OR_RETURN(bool more, ReadItem(item));
    if (!more) return absl::OkStatus();
  }
}

absl::Status DicomReader::ReadFragments(DicomElement& element) {
  element.encapsulated = true;
  for (;;) {
    HILUM_ASSIGN_OR_RETURN(DicomTag tag, PeekTag());
    position_ += 4;
    HILUM_ASSIGN_OR_RETURN(uint64_t length, ReadInteger(4));
    if (tag == kSequenceEnd) return absl::OkStatus();
    if (tag != kItem || length == kUndefinedLength) {
      return absl::InvalidArgumentError(
          "DICOM: encapsulated pixel data is not made of fragments");
    }
    if (element.items.size() == kMaxDicomItems) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "DICOM: pixel data in more than ", kMaxDicomItems, " fragments"));
    }
    HILUM_ASSIGN_OR_RETURN(absl::string_view item,
                           Take(static_cast<uint32_t>(length), tag));
    element.items.push_back(item);
  }
}

}  // namespace hilum
