// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/case_store/turn_record.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hilum {
namespace {

TEST(TurnRecordTest, PlanesAndLungsTurnTogether) {
  const std::vector<uint16_t> whole = {10, 20, 30, 40, 50, 60};
  const std::vector<uint16_t> segmented = {7, 8};
  const std::string lungs(1, '\x12');  // pixels 1 and 4
  const CaseRecord record{.case_id = "0123456789abcdef",
                          .whole = {2, 3, whole},
                          .segmented = {2, 1, segmented},
                          .lungs = lungs,
                          .source_rows = 20,
                          .source_columns = 30};
  const std::string turned = TurnRecord(record, {1, false});
  auto header = DecodeRecordHeader(turned.substr(0, kRecordHeaderBytes));
  ASSERT_TRUE(header.ok()) << header.status();
  const std::string payload = turned.substr(kRecordHeaderBytes);
  auto read = DecodeCaseRecord(*header, payload);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->whole.rows, 3);
  EXPECT_EQ(read->whole.columns, 2);
  EXPECT_EQ(std::vector<uint16_t>(read->whole.pixels.begin(),
                                  read->whole.pixels.end()),
            (std::vector<uint16_t>{40, 10, 50, 20, 60, 30}));
  EXPECT_EQ(read->segmented.columns, 2);
  EXPECT_EQ(read->segmented.pixels[0], 8);
  EXPECT_EQ(read->lungs, std::string(1, '\x0c'));  // pixels 2 and 3
  EXPECT_EQ(read->source_rows, 30u);
  auto back = TurnEncodedRecord(turned, {3, false});
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(*back, EncodeCaseRecord(record));
}

TEST(TurnRecordTest, ARecordWithoutMaskStaysWithoutOne) {
  const std::vector<uint16_t> whole = {1, 2, 3};
  const CaseRecord record{.case_id = "0123456789abcdef",
                          .whole = {1, 3, whole}};
  const std::string turned = TurnRecord(record, {2, false});
  auto header = DecodeRecordHeader(turned.substr(0, kRecordHeaderBytes));
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->segmented_rows, 0u);
  const std::string payload = turned.substr(kRecordHeaderBytes);
  auto read = DecodeCaseRecord(*header, payload);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->whole.pixels[0], 3);
  EXPECT_TRUE(read->lungs.empty());
}

TEST(TurnRecordTest, WhatIsNoRecordOrDamagedIsDataLoss) {
  const std::vector<uint16_t> whole = {1, 2, 3};
  std::string encoded =
      EncodeCaseRecord({.case_id = "0123456789abcdef", .whole = {1, 3, whole}});
  EXPECT_TRUE(absl::IsDataLoss(TurnEncodedRecord("no record", {}).status()));
  for (size_t at : {size_t{20}, kRecordHeaderBytes, encoded.size() - 1}) {
    std::string damaged = encoded;
    damaged[at] ^= 1;
    EXPECT_TRUE(absl::IsDataLoss(TurnEncodedRecord(damaged, {}).status()))
        << at;
  }
  encoded.pop_back();
  EXPECT_TRUE(absl::IsDataLoss(TurnEncodedRecord(encoded, {}).status()));
}

}  // namespace
}  // namespace hilum
