// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/case_store/case_record.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "common/crypto/sha256.h"

namespace hilum {
namespace {

constexpr char kId[] = "0123456789abcdef";

// A case of 2 x 3 with a mask.
std::string Encoded() {
  static const std::vector<uint16_t> whole = {10, 20, 30, 40, 50, 65535};
  static const std::vector<uint16_t> segmented = {7, 8};
  return EncodeCaseRecord({.case_id = kId,
                           .whole = {2, 3, whole},
                           .segmented = {2, 1, segmented},
                           .lungs = "\x12",
                           .source_rows = 200,
                           .source_columns = 300});
}

absl::StatusOr<RecordHeader> HeaderOf(const std::string& record) {
  return DecodeRecordHeader(
      absl::string_view(record).substr(0, kRecordHeaderBytes));
}

// The record with a byte of its header changed, and the header's SHA-256 made
// to fit.
std::string WithByte(size_t at, char byte) {
  std::string record = Encoded();
  record[at] = byte;
  const size_t signed_bytes = kRecordHeaderBytes - 32;
  record.replace(signed_bytes, 32, Sha256Of(record.substr(0, signed_bytes)));
  return record;
}

TEST(CaseRecordTest, WhatIsEncodedIsDecoded) {
  const std::string record = Encoded();
  auto header = HeaderOf(record);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->case_id, kId);
  EXPECT_EQ(header->source_columns, 300u);
  const std::string payload = record.substr(kRecordHeaderBytes);
  EXPECT_EQ(payload.size(), header->payload_bytes);
  EXPECT_EQ(payload.size() % kRecordAlignment, 0u);
  auto read = DecodeCaseRecord(*header, payload);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->whole.rows, 2);
  EXPECT_EQ(read->whole.pixels[5], 65535);
  EXPECT_EQ(read->segmented.columns, 1);
  EXPECT_EQ(read->segmented.pixels[1], 8);
  EXPECT_EQ(read->lungs, "\x12");
}

// Weights' lists of images name an image by it.
TEST(CaseRecordTest, TheImagesDigestComesBackAndOlderRecordsHaveNone) {
  const std::string older = Encoded();
  auto header = HeaderOf(older);
  ASSERT_TRUE(header.ok());
  EXPECT_EQ(older[8], 1);
  EXPECT_EQ(
      DecodeCaseRecord(*header, older.substr(kRecordHeaderBytes))->image_digest,
      "");
  const std::vector<uint16_t> whole = {10, 20, 30};
  const std::string record = EncodeCaseRecord(
      {.case_id = kId, .whole = {1, 3, whole}, .image_digest = "12345678"});
  header = HeaderOf(record);
  ASSERT_TRUE(header.ok()) << header.status();
  const std::string payload = record.substr(kRecordHeaderBytes);
  auto read = DecodeCaseRecord(*header, payload);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->image_digest, "12345678");
  EXPECT_EQ(read->whole.pixels[2], 30);
}

TEST(CaseRecordTest, ACaseIdIsSixteenLowerCaseDigits) {
  EXPECT_TRUE(IsCaseId(kId));
  for (const char* none : {"", "0123456789abcde", "0123456789abcdef0",
                           "0123456789ABCDEF", "0123456789abcdeg"}) {
    EXPECT_FALSE(IsCaseId(none)) << none;
  }
}

TEST(CaseRecordTest, EveryFlippedBitOfTheHeaderIsDataLoss) {
  const std::string record = Encoded();
  for (size_t at = 0; at < kRecordHeaderBytes; ++at) {
    std::string damaged = record;
    damaged[at] ^= 4;
    EXPECT_TRUE(absl::IsDataLoss(HeaderOf(damaged).status())) << at;
  }
  EXPECT_TRUE(absl::IsDataLoss(HeaderOf(record.substr(0, 127)).status()));
}

TEST(CaseRecordTest, ANewerVersionIsNotCalledDamage) {
  const absl::Status newer = HeaderOf(WithByte(8, 3)).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(newer)) << newer;
}

// Whoever reads by the sizes would read past the record.
TEST(CaseRecordTest, SizesThatContradictTheLengthAreRefused) {
  ASSERT_TRUE(HeaderOf(WithByte(40, 2)).ok());  // the rows that it has
  for (const auto& [at, byte] : {std::pair<size_t, char>{40, 0},  // no rows
                                 {40, 127},     // more than the payload holds
                                 {42, 127},     // over kMaxPlaneSide
                                 {48, 0},       // columns without rows
                                 {16, 64},      // payload of a record less
                                 {24, 'A'}}) {  // the case's id
    const std::string record = WithByte(at, byte);
    if (record == Encoded()) continue;
    EXPECT_TRUE(absl::IsDataLoss(HeaderOf(record).status())) << at;
  }
}

TEST(CaseRecordTest, PixelsThatAreNotWhatTheHeaderSaysAreDataLoss) {
  const std::string record = Encoded();
  const RecordHeader header = HeaderOf(record).value();
  std::string payload = record.substr(kRecordHeaderBytes);
  payload.back() ^= 1;  // of the padding
  EXPECT_TRUE(absl::IsDataLoss(DecodeCaseRecord(header, payload).status()));
  payload.pop_back();
  EXPECT_TRUE(absl::IsDataLoss(DecodeCaseRecord(header, payload).status()));
}

}  // namespace
}  // namespace hilum
