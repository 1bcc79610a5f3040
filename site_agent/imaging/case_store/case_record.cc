// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/case_store/case_record.h"

#include <algorithm>
#include <bit>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

static_assert(std::endian::native == std::endian::little,
              "planes are mapped as they lie in the file");

constexpr char kMagic[] = "HILUMCAS";
constexpr uint32_t kVersion = 2;
constexpr size_t kShaBytes = 32;
constexpr size_t kSignedBytes = kRecordHeaderBytes - kShaBytes;

void Put(std::string& out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) {
    out.push_back(static_cast<char>(value >> (8 * i) & 0xff));
  }
}

uint64_t Take(absl::string_view& in, int bytes) {
  uint64_t value = 0;
  for (int i = bytes - 1; i >= 0; --i) {
    value = value << 8 | static_cast<uint8_t>(in[i]);
  }
  in.remove_prefix(bytes);
  return value;
}

uint64_t Pixels(uint32_t rows, uint32_t columns) {
  return uint64_t{rows} * columns;
}

uint64_t LungBytes(const RecordHeader& header) {
  return header.segmented_rows == 0
             ? 0
             : (Pixels(header.whole_rows, header.whole_columns) + 7) / 8;
}

uint64_t PayloadBytes(const RecordHeader& header) {
  const uint64_t bytes =
      2 * Pixels(header.whole_rows, header.whole_columns) +
      2 * Pixels(header.segmented_rows, header.segmented_columns) +
      LungBytes(header) + (header.has_digest ? kRecordDigestBytes : 0);
  return (bytes + kRecordAlignment - 1) / kRecordAlignment * kRecordAlignment;
}

bool SizesMakeSense(const RecordHeader& header) {
  for (uint32_t side : {header.whole_rows, header.whole_columns,
                        header.segmented_rows, header.segmented_columns}) {
    if (side > kMaxPlaneSide) return false;
  }
  return header.whole_rows > 0 && header.whole_columns > 0 &&
         (header.segmented_rows == 0) == (header.segmented_columns == 0) &&
         header.payload_bytes == PayloadBytes(header);
}

absl::string_view BytesOf(absl::Span<const uint16_t> pixels) {
  return {reinterpret_cast<const char*>(pixels.data()), 2 * pixels.size()};
}

std::string EncodeHeader(const RecordHeader& header) {
  std::string out(kMagic);
  Put(out, header.has_digest ? kVersion : 1, 4);
  Put(out, kRecordHeaderBytes, 4);
  Put(out, header.payload_bytes, 8);
  out += header.case_id;
  for (uint32_t side :
       {header.whole_rows, header.whole_columns, header.segmented_rows,
        header.segmented_columns, header.source_rows, header.source_columns}) {
    Put(out, side, 4);
  }
  out += header.payload_sha256;
  return out + Sha256Of(out);
}

}  // namespace

bool IsCaseId(absl::string_view text) {
  return text.size() == kCaseIdDigits &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string EncodeCaseRecord(const CaseRecord& record) {
  RecordHeader header{
      .case_id = record.case_id,
      .whole_rows = static_cast<uint32_t>(record.whole.rows),
      .whole_columns = static_cast<uint32_t>(record.whole.columns),
      .segmented_rows = static_cast<uint32_t>(record.segmented.rows),
      .segmented_columns = static_cast<uint32_t>(record.segmented.columns),
      .source_rows = record.source_rows,
      .source_columns = record.source_columns,
      .has_digest = record.image_digest.size() == kRecordDigestBytes};
  header.payload_bytes = PayloadBytes(header);
  std::string out(kRecordHeaderBytes, '\0');
  out.reserve(kRecordHeaderBytes + header.payload_bytes);
  absl::StrAppend(&out, BytesOf(record.whole.pixels),
                  BytesOf(record.segmented.pixels), record.lungs,
                  header.has_digest ? record.image_digest : "");
  out.resize(kRecordHeaderBytes + header.payload_bytes, '\0');
  header.payload_sha256 =
      Sha256Of(absl::string_view(out).substr(kRecordHeaderBytes));
  const std::string encoded = EncodeHeader(header);
  std::copy(encoded.begin(), encoded.end(), out.begin());
  return out;
}

absl::StatusOr<RecordHeader> DecodeRecordHeader(absl::string_view bytes) {
  if (bytes.size() != kRecordHeaderBytes || !absl::StartsWith(bytes, kMagic)) {
    return absl::DataLossError("not a case record");
  }
  if (Sha256Of(bytes.substr(0, kSignedBytes)) != bytes.substr(kSignedBytes)) {
    return absl::DataLossError("a damaged case record header");
  }
  bytes.remove_prefix(sizeof kMagic - 1);
  const uint64_t version = Take(bytes, 4);
  if (version < 1 || version > kVersion ||
      Take(bytes, 4) != kRecordHeaderBytes) {
    return absl::FailedPreconditionError(absl::StrCat(
        "a case record of version ", version, "; this program knows ", kVersion,
        ": install the one that wrote it"));
  }
  RecordHeader header;
  header.has_digest = version > 1;
  header.payload_bytes = Take(bytes, 8);
  header.case_id = std::string(bytes.substr(0, kCaseIdDigits));
  bytes.remove_prefix(kCaseIdDigits);
  for (uint32_t* side : {&header.whole_rows, &header.whole_columns,
                         &header.segmented_rows, &header.segmented_columns,
                         &header.source_rows, &header.source_columns}) {
    *side = static_cast<uint32_t>(Take(bytes, 4));
  }
  header.payload_sha256 = std::string(bytes.substr(0, kShaBytes));
  if (!SizesMakeSense(header) || !IsCaseId(header.case_id)) {
    return absl::DataLossError("a case record that contradicts itself");
  }
  return header;
}

absl::StatusOr<CaseRecord> DecodeCaseRecord(const RecordHeader& header,
                                            absl::string_view payload) {
  if (payload.size() != header.payload_bytes ||
      Sha256Of(payload) != header.payload_sha256) {
    return absl::DataLossError("its pixels are damaged (SHA-256)");
  }
  auto plane = [&](uint32_t rows, uint32_t columns) {
    const size_t pixels = Pixels(rows, columns);
    PlaneView view{
        static_cast<int>(rows), static_cast<int>(columns),
        absl::MakeConstSpan(reinterpret_cast<const uint16_t*>(payload.data()),
                            pixels)};
    payload.remove_prefix(2 * pixels);
    return view;
  };
  CaseRecord record{.case_id = header.case_id,
                    .source_rows = header.source_rows,
                    .source_columns = header.source_columns};
  record.whole = plane(header.whole_rows, header.whole_columns);
  record.segmented = plane(header.segmented_rows, header.segmented_columns);
  record.lungs = payload.substr(0, LungBytes(header));
  if (header.has_digest) {
    record.image_digest = payload.substr(LungBytes(header), kRecordDigestBytes);
  }
  return record;
}

}  // namespace hilum
