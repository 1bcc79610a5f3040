// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/upright/turn.h"

#include <gtest/gtest.h>

#include <vector>

#include "site_agent/imaging/case_store/turn_record.h"

namespace hilum {
namespace {

const std::vector<int> kPixels = {1, 2, 3,  //
                                  4, 5, 6};

std::vector<int> Turned(const Turn& turn) {
  return TurnPixels<int>(2, 3, kPixels, turn);
}

TEST(TurnTest, AQuarterIsClockwiseAndAMirrorComesFirst) {
  EXPECT_EQ(Turned({}), kPixels);
  EXPECT_EQ(Turned({1, false}), (std::vector<int>{4, 1, 5, 2, 6, 3}));
  EXPECT_EQ(Turned({2, false}), (std::vector<int>{6, 5, 4, 3, 2, 1}));
  EXPECT_EQ(Turned({3, false}), (std::vector<int>{3, 6, 2, 5, 1, 4}));
  EXPECT_EQ(Turned({0, true}), (std::vector<int>{3, 2, 1, 6, 5, 4}));
  EXPECT_EQ(Turned({1, true}), (std::vector<int>{6, 3, 5, 2, 4, 1}));
}

TEST(TurnTest, OneAfterTheOtherIsOne) {
  for (int a = 0; a < kNumTurns; ++a) {
    const Turn first = TurnOfIndex(a);
    EXPECT_EQ(IndexOf(first), a);
    EXPECT_EQ(Then(first, Undoing(first)), Turn{}) << a;
    const std::vector<int> once = Turned(first);
    const int rows = Transposes(first) ? 3 : 2;
    for (int b = 0; b < kNumTurns; ++b) {
      const Turn second = TurnOfIndex(b);
      EXPECT_EQ(TurnPixels<int>(rows, 5 - rows, once, second),
                Turned(Then(first, second)))
          << a << " then " << b;
    }
  }
}

TEST(TurnTest, NamesAreForPeople) {
  EXPECT_EQ(NameOf({}), "upright");
  EXPECT_EQ(NameOf({0, true}), "mirrored");
  EXPECT_EQ(NameOf({1, false}), "turned by 90 degrees clockwise");
  EXPECT_EQ(NameOf({2, true}), "mirrored and turned by 180 degrees");
}

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
  EXPECT_FALSE(TurnEncodedRecord("no record", {}).ok());
}

}  // namespace
}  // namespace hilum
