// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/dicom/dicom_file.h"

#include <zlib.h>

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "site_agent/imaging/image.h"

namespace hilum {
namespace {

constexpr size_t kPreamble = 128;
constexpr size_t kMetaStart = kPreamble + 4;
constexpr DicomTag kTransferSyntaxUid = 0x00020010;

constexpr DicomEncoding kImplicit = {false, false};
constexpr DicomEncoding kExplicit = {true, false};
constexpr DicomEncoding kBigEndian = {true, true};

constexpr TransferSyntax kSyntaxes[] = {
    {"1.2.840.10008.1.2", kImplicit, false, PixelCoding::kNative},
    {"1.2.840.10008.1.2.1", kExplicit, false, PixelCoding::kNative},
    {"1.2.840.10008.1.2.1.99", kExplicit, true, PixelCoding::kNative},
    {"1.2.840.10008.1.2.2", kBigEndian, false, PixelCoding::kNative},
    {"1.2.840.10008.1.2.5", kExplicit, false, PixelCoding::kRle},
    {"1.2.840.10008.1.2.4.50", kExplicit, false, PixelCoding::kJpeg},
    {"1.2.840.10008.1.2.4.51", kExplicit, false, PixelCoding::kJpeg},
    {"1.2.840.10008.1.2.4.57", kExplicit, false, PixelCoding::kJpeg},
    {"1.2.840.10008.1.2.4.70", kExplicit, false, PixelCoding::kJpeg},
    {"1.2.840.10008.1.2.4.80", kExplicit, false, PixelCoding::kJpegLs},
    {"1.2.840.10008.1.2.4.81", kExplicit, false, PixelCoding::kJpegLs},
    {"1.2.840.10008.1.2.4.90", kExplicit, false, PixelCoding::kJpeg2000},
    {"1.2.840.10008.1.2.4.91", kExplicit, false, PixelCoding::kJpeg2000},
    {"1.2.840.10008.1.2.4.201", kExplicit, false, PixelCoding::kJpeg2000},
    {"1.2.840.10008.1.2.4.202", kExplicit, false, PixelCoding::kJpeg2000},
    {"1.2.840.10008.1.2.4.203", kExplicit, false, PixelCoding::kJpeg2000},
};

struct Meta {
  std::string syntax;
  size_t end = 0;  // where the data set starts
};

uint32_t Little(absl::string_view bytes, size_t at, size_t count) {
  uint32_t value = 0;
  for (size_t i = count; i-- > 0;) {
    value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  }
  return value;
}

// Returns the start of the file meta information: after preamble and DICM or,
// in files without these, the first byte (group 0002, explicit). nullopt: there
// is no meta information.
std::optional<size_t> FindMeta(absl::string_view bytes) {
  if (bytes.size() >= kMetaStart && bytes.substr(kPreamble, 4) == "DICM") {
    return kMetaStart;
  }
  const size_t start = absl::StartsWith(bytes, "DICM") ? 4 : 0;
  if (bytes.size() < start + 8) return std::nullopt;
  const bool group_2 = Little(bytes, start, 2) == 2 &&
                       Little(bytes, start + 2, 2) <= 0x0102 &&
                       absl::ascii_isupper(bytes[start + 4]) &&
                       absl::ascii_isupper(bytes[start + 5]);
  return group_2 ? std::optional<size_t>(start) : std::nullopt;
}

// Returns whether the bytes are a data set without a file header: they begin
// with an element of group 0008 whose value lies within them.
bool LooksLikeDataSet(absl::string_view bytes) {
  if (bytes.size() < 12 || Little(bytes, 0, 2) != 8) return false;
  if (Little(bytes, 2, 2) > 0x0070) return false;
  const bool explicit_vr =
      absl::ascii_isupper(bytes[4]) && absl::ascii_isupper(bytes[5]);
  const uint32_t length =
      explicit_vr ? Little(bytes, 6, 2) : Little(bytes, 4, 4);
  return length <= 128;
}

absl::StatusOr<Meta> ReadMeta(absl::string_view bytes) {
  if (bytes.empty()) return absl::InvalidArgumentError("the file is empty");
  const std::optional<size_t> start = FindMeta(bytes);
  if (!start.has_value()) return WhyNotDicom(bytes);
  bytes.remove_prefix(*start);
  Meta meta;
  HILUM_ASSIGN_OR_RETURN(
      DicomElements elements,
      DicomElements::ParseGroup(bytes, kExplicit, 2, meta.end));
  meta.end += *start;
  meta.syntax = elements.Text(kTransferSyntaxUid);
  if (meta.syntax.empty()) {
    return absl::InvalidArgumentError(
        "DICOM: no transfer syntax (0002,0010); `dcmconv IN OUT` of DCMTK "
        "writes the header anew");
  }
  // Accepts only a UID's characters (PS3.5 section 9.1): a message will quote
  // it.
  if (meta.syntax.size() > 64 ||
      meta.syntax.find_first_not_of("0123456789.") != std::string::npos) {
    return absl::InvalidArgumentError("DICOM: its transfer syntax is no UID");
  }
  return meta;
}

// Inflates raw deflate (PS3.5 A.5, RFC 1951) in steps of a MiB: the result's
// length is known only at its end.
absl::Status Inflate(absl::string_view in, std::string& out) {
  z_stream stream = {};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
    return absl::ResourceExhaustedError("DICOM: out of memory");
  }
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
  stream.avail_in = static_cast<uInt>(in.size());
  constexpr size_t kStep = 1 << 20;
  int rc = Z_OK;
  while (rc == Z_OK && out.size() <= kMaxImageFileBytes) {
    const size_t before = out.size();
    out.resize(before + kStep);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = kStep;
    rc = inflate(&stream, Z_NO_FLUSH);
    out.resize(before + kStep - stream.avail_out);
  }
  inflateEnd(&stream);
  if (rc == Z_STREAM_END) return absl::OkStatus();
  if (rc == Z_OK) {
    return absl::ResourceExhaustedError(
        absl::StrCat("DICOM: the deflated data set is over ",
                     kMaxImageFileBytes >> 20, " MB"));
  }
  return absl::InvalidArgumentError(
      "DICOM: the deflated data set is damaged or cut short");
}

}  // namespace

const TransferSyntax* FindTransferSyntax(absl::string_view uid) {
  for (const TransferSyntax& syntax : kSyntaxes) {
    if (uid == syntax.uid) return &syntax;
  }
  return nullptr;
}

bool IsDicom(absl::string_view bytes) { return FindMeta(bytes).has_value(); }

absl::Status WhyNotDicom(absl::string_view bytes) {
  if (LooksLikeDataSet(bytes)) {
    return absl::InvalidArgumentError(
        "a DICOM data set without its file header (PS3.10), so that its "
        "transfer syntax is not known; `dcmconv --read-dataset IN OUT` of "
        "DCMTK writes a whole file");
  }
  return absl::InvalidArgumentError(
      "not a DICOM file: no DICM behind a preamble");
}

absl::StatusOr<std::string> ReadTransferSyntaxUid(absl::string_view bytes) {
  HILUM_ASSIGN_OR_RETURN(Meta meta, ReadMeta(bytes));
  return meta.syntax;
}

absl::StatusOr<DicomFile> ReadDicomFile(absl::string_view bytes) {
  if (bytes.size() > kMaxImageFileBytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("image file is over ", kMaxImageFileBytes >> 20, " MB"));
  }
  HILUM_ASSIGN_OR_RETURN(Meta meta, ReadMeta(bytes));
  DicomFile file;
  file.syntax = FindTransferSyntax(meta.syntax);
  if (file.syntax == nullptr) {
    return absl::UnimplementedError(
        absl::StrCat("DICOM: transfer syntax ", meta.syntax, " is not taken"));
  }
  absl::string_view data_set = bytes.substr(meta.end);
  if (file.syntax->deflated) {
    file.inflated = std::make_unique<std::string>();
    HILUM_RETURN_IF_ERROR(Inflate(data_set, *file.inflated));
    data_set = *file.inflated;
  }
  HILUM_ASSIGN_OR_RETURN(file.elements,
                         DicomElements::Parse(data_set, file.syntax->encoding));
  return file;
}

}  // namespace hilum
