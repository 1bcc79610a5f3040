// SPDX-License-Identifier: Apache-2.0
// Which of a file's gray rules are used, and what is said of the others.
#include "gtest/gtest.h"
#include "site_agent/imaging/dicom/gray_pipeline.h"
#include "tests/site_agent/imaging/dicom/grays_of_film.h"

namespace hilum {
namespace {

TEST(GrayRulesTest, PresentationShapeMustAgree) {
  DicomMaker dark = SmallChest().Text(0x00280004, "CS", "MONOCHROME1");
  EXPECT_EQ(Grays(DicomMaker(dark).Text(0x20500020, "CS", "INVERSE")),
            Grays(dark));
  EXPECT_EQ(Grays(SmallChest().Text(0x20500020, "CS", "IDENTITY")),
            Grays(SmallChest()));
  EXPECT_EQ(CodeOf(dark.Text(0x20500020, "CS", "IDENTITY")),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(SmallChest().Text(0x20500020, "CS", "INVERSE")),
            absl::StatusCode::kInvalidArgument);
}

TEST(GrayRulesTest, AWindowThatIsNoneIsLeftForTheStoredRange) {
  const std::vector<float> stored = Grays(SmallChest());
  for (const DicomMaker& maker :
       {Windowed("2", "0"), Windowed("2", "0.5"), Windowed("2", ""),
        Windowed("", "4"), Windowed("two", "4"), Windowed("nan", "4"),
        Windowed("2047,5", "4096,0"), Windowed("2", "0", "SIGMOID"),
        Windowed("2", "-4", "LINEAR_EXACT"), Windowed("2", "4", "CUBIC")}) {
    EXPECT_EQ(Grays(maker), stored);
    const std::vector<std::string> notes = Notes(maker);
    ASSERT_EQ(notes.size(), 2u);
    EXPECT_EQ(notes[0].find("window 1 is not used: "), 0u) << notes[0];
    EXPECT_EQ(notes[1], "the range of the stored bits is shown");
  }
  EXPECT_TRUE(Notes(Windowed("2", "4")).empty());
}

TEST(GrayRulesTest, TheNextUsableWindowOrTableIsTaken) {
  const std::vector<double> by_window = {0, 1 / 3.0, 2 / 3.0, 1, 1, 1};
  ExpectGrays(Windowed("500\\2", "0\\4"), by_window);
  // Tables: without a descriptor, with entries over their bits, of 17 bits.
  for (const DicomMaker& table :
       {DicomMaker(), Table(0, 8, {256}), Table(0, 17, {0})}) {
    ExpectGrays(Windowed("2", "4").Items(0x00283010, {table}), by_window);
    ExpectGrays(
        SmallChest().Items(0x00283010, {table, Table(0, 10, {0, 1023, 341})}),
        {0, 1, 341 / 1023.0});
    EXPECT_EQ(Grays(SmallChest().Items(0x00283010, {table})),
              Grays(SmallChest()));
  }
}

TEST(GrayRulesTest, ATableShorterThanItSaysIsLeft) {
  DicomMaker shorter = Table(0, 16, {1, 2, 3});
  shorter.Words(0x00283006, "OW", {1, 2});
  // 4 bytes are as long as 3 entries of a byte and one to be even.
  EXPECT_TRUE(Notes(SmallChest().Items(0x00283010, {shorter})).empty());
  shorter.Words(0x00283006, "OW", {1});
  EXPECT_EQ(Notes(SmallChest().Items(0x00283010, {shorter})).size(), 2u);
}

// It says what the stored values mean, so that nothing can stand in for it.
TEST(GrayRulesTest, AModalityRuleThatIsNoneIsRefused) {
  const auto kInvalid = absl::StatusCode::kInvalidArgument;
  EXPECT_EQ(CodeOf(SmallChest().Text(0x00281053, "DS", "0")), kInvalid);
  EXPECT_EQ(CodeOf(SmallChest().Items(0x00283000, {DicomMaker()})), kInvalid);
  EXPECT_EQ(CodeOf(SmallChest().Items(0x00283000, {Table(0, 8, {256})})),
            kInvalid);
}

}  // namespace
}  // namespace hilum
