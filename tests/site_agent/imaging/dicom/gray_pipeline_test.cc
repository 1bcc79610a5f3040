// SPDX-License-Identifier: Apache-2.0
// Compares grays with values computed by hand from PS3.3 C.11.
#include "site_agent/imaging/dicom/gray_pipeline.h"

#include <cmath>

#include "gtest/gtest.h"
#include "tests/site_agent/imaging/dicom/grays_of_film.h"

namespace hilum {
namespace {

TEST(GrayPipelineTest, WithoutWindowTheStoredRangeIsTheGrayRange) {
  ExpectGrays(SmallChest(),
              {0, 1 / 4095.0, 2 / 4095.0, 1000 / 4095.0, 2047 / 4095.0, 1});
}

TEST(GrayPipelineTest, Monochrome1IsInverted) {
  DicomMaker maker = SmallChest().Text(0x00280004, "CS", "MONOCHROME1");
  ExpectGrays(maker, {1, 4094 / 4095.0, 4093 / 4095.0, 3095 / 4095.0,
                      2048 / 4095.0, 0});
}

TEST(GrayPipelineTest, LinearWindowIsTheStandardsWithItsHalves) {
  // c = 2, w = 4: black up to 1.5 - 1.5 = 0, white above 1.5 + 1.5 = 3,
  // between them (x - 1.5) / 3 + 0.5.
  ExpectGrays(Windowed("2", "4"), {0, 1 / 3.0, 2 / 3.0, 1, 1, 1});
  ExpectGrays(Windowed("2", "4", "LINEAR"), {0, 1 / 3.0, 2 / 3.0, 1, 1, 1});
  // c = 2048, w = 4096 is the whole range of 12 bits.
  ExpectGrays(Windowed("2048", "4096"),
              {0, 1 / 4095.0, 2 / 4095.0, 1000 / 4095.0, 2047 / 4095.0, 1});
}

TEST(GrayPipelineTest, LinearWindowOfWidthOneIsAStep) {
  // Black up to 1.5, white above.
  ExpectGrays(Windowed("2", "1"), {0, 0, 1, 1, 1, 1});
}

TEST(GrayPipelineTest, LinearExactWindowHasNoHalves) {
  // c = 2, w = 4: black up to 0, white above 4, between (x - 2) / 4 + 0.5.
  ExpectGrays(Windowed("2", "4", "LINEAR_EXACT"), {0, 0.25, 0.5, 1, 1, 1});
}

TEST(GrayPipelineTest, SigmoidWindow) {
  // 1 / (1 + exp(-4 (x - c) / w)) at (x - c) / w = -1/2, -1/4, 0.
  ExpectGrays(Windowed("2", "4", "SIGMOID"),
              {1 / (1 + std::exp(2.0)), 1 / (1 + std::exp(1.0)), 0.5, 1});
}

TEST(GrayPipelineTest, TheFirstOfSeveralWindowsIsTaken) {
  ExpectGrays(Windowed("2\\500", "4\\900"), {0, 1 / 3.0, 2 / 3.0, 1, 1, 1});
}

TEST(GrayPipelineTest, RescaleComesBeforeTheWindow) {
  // 2 x - 1: -1, 1, 3 in the window c = 2, w = 4.
  DicomMaker maker = Windowed("2", "4").Text(0x00281052, "DS", "-1");
  maker.Text(0x00281053, "DS", "2");
  ExpectGrays(maker, {0, 1 / 3.0, 1, 1, 1, 1});
}

TEST(GrayPipelineTest, ANegativeSlopeTurnsTheRangeRound) {
  DicomMaker maker = SmallChest().Text(0x00281052, "DS", "0");
  maker.Text(0x00281053, "DS", "-1.5");
  ExpectGrays(maker, {1, 4094 / 4095.0, 4093 / 4095.0});
}

TEST(GrayPipelineTest, ModalityTableComesBeforeTheWindow) {
  // Entries for 1, 2, 3: 10, 2, 3; values outside get the first and last.
  DicomMaker maker =
      Windowed("2", "4").Items(0x00283000, {Table(1, 8, {10, 2, 1})});
  ExpectGrays(maker, {1, 1, 2 / 3.0, 1 / 3.0, 1 / 3.0, 1 / 3.0});
  // Without a window the table's own bits are the range.
  ExpectGrays(SmallChest().Items(0x00283000, {Table(1, 8, {10, 2, 255})}),
              {10 / 255.0, 10 / 255.0, 2 / 255.0, 1, 1, 1});
}

TEST(GrayPipelineTest, VoiTableGoesBeforeAWindow) {
  DicomMaker maker =
      Windowed("2", "4").Items(0x00283010, {Table(0, 10, {0, 1023, 341})});
  ExpectGrays(maker, {0, 1, 341 / 1023.0, 341 / 1023.0});
}

TEST(GrayPipelineTest, VoiTableTakesWhatTheRescaleGives) {
  // x - 1, so that its input -1 is the table's first.
  DicomMaker maker = SmallChest().Text(0x00281052, "DS", "-1");
  maker.Items(0x00283010, {Table(-1, 8, {51, 102, 153, 204})});
  ExpectGrays(maker, {0.2, 0.4, 0.6, 0.8, 0.8, 0.8});
}

TEST(GrayPipelineTest, TableEntriesMayBeBytes) {
  DicomMaker item;
  item.Words(0x00283002, "US", {3, 0, 8})
      .Bytes(0x00283006, "OW", std::string("\x33\x66\xff\x00", 4));
  ExpectGrays(SmallChest().Items(0x00283010, {item}), {0.2, 0.4, 1, 1, 1, 1});
}

TEST(GrayPipelineTest, SignedValuesRunFromTheLeastNegative) {
  // 12 bits: 2047 is the largest, 4095 is -1, 0 is in the middle.
  DicomMaker maker = SmallChest().Words(0x00280103, "US", {1});
  ExpectGrays(maker, {2048 / 4095.0, 2049 / 4095.0, 2050 / 4095.0,
                      3048 / 4095.0, 1, 2047 / 4095.0});
}

TEST(GrayPipelineTest, BitsBesideTheStoredOnesAreNotSeen) {
  // Sets an overlay's bit above, and stored bits that start at bit 4.
  DicomMaker above =
      SmallChest().Words(kPixelDataTag, "OW", {0x8000, 1, 2, 1000, 2047, 4095});
  EXPECT_EQ(CodeOf(above), absl::StatusCode::kInvalidArgument);
  above.Words(0x60000100, "US", {16}).Words(0x60000102, "US", {15});
  EXPECT_EQ(Grays(above), Grays(SmallChest()));
  DicomMaker shifted = SmallChest().Words(0x00280102, "US", {15});
  shifted.Words(kPixelDataTag, "OW",
                {0, 1 << 4 | 1, 2 << 4, 1000 << 4, 2047 << 4, 4095 << 4});
  EXPECT_EQ(CodeOf(shifted), absl::StatusCode::kInvalidArgument);
  shifted.Words(0x60020100, "US", {16}).Words(0x60020102, "US", {0});
  EXPECT_EQ(Grays(shifted), Grays(SmallChest()));
  // An overlay with data of its own is not in the words.
  shifted.Bytes(0x60023000, "OW", std::string(2, '\0'));
  EXPECT_EQ(CodeOf(shifted), absl::StatusCode::kInvalidArgument);
}

// Ignoring such bits would make bright tissue dark.
TEST(GrayPipelineTest, WordsAboveTheStoredBitsAreRefused) {
  DicomMaker fourteen =
      SmallChest().Words(kPixelDataTag, "OW", {0, 1, 2, 1000, 2047, 12000});
  const absl::Status status = DecodeImage(fourteen.File()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("bit 13"), absl::string_view::npos) << status;
  // The low 12 bits are used, but High Bit says the upper ones.
  DicomMaker high = SmallChest().Words(0x00280102, "US", {15});
  EXPECT_EQ(CodeOf(high), absl::StatusCode::kInvalidArgument);
}

TEST(GrayPipelineTest, NegativeValuesMayBeExtendedIntoTheWord) {
  // -1 as 12 bits, and as 16.
  DicomMaker twelve = SmallChest().Words(0x00280103, "US", {1});
  DicomMaker sixteen = DicomMaker(twelve).Words(kPixelDataTag, "OW",
                                                {0, 1, 2, 1000, 2047, 0xffff});
  EXPECT_EQ(Grays(sixteen), Grays(twelve));
  // 0x1fff is neither form of -1.
  EXPECT_EQ(
      CodeOf(twelve.Words(kPixelDataTag, "OW", {0, 1, 2, 1000, 2047, 0x1fff})),
      absl::StatusCode::kInvalidArgument);
}

TEST(GrayPipelineTest, EightBits) {
  DicomMaker maker = SmallChest().Words(0x00280100, "US", {8});
  maker.Words(0x00280101, "US", {8})
      .Words(0x00280102, "US", {7})
      .Bytes(kPixelDataTag, "OB", std::string("\x00\x33\x66\x99\xcc\xff", 6));
  ExpectGrays(maker, {0, 0.2, 0.4, 0.6, 0.8, 1});
}

TEST(GrayPipelineTest, PaddingIsBlackAlsoWhereTheLeastValueIsWhite) {
  DicomMaker maker = SmallChest().Text(0x00280004, "CS", "MONOCHROME1");
  maker.Words(0x00280120, "US", {0});
  EXPECT_EQ(Grays(maker)[0], 0);
  EXPECT_NEAR(Grays(maker)[1], 4094 / 4095.0, 1e-6);
  maker.Words(0x00280121, "US", {1});
  EXPECT_EQ(Grays(maker)[1], 0);
  EXPECT_NEAR(Grays(maker)[2], 4093 / 4095.0, 1e-6);
}

// A window far beside the values leaves all white or black.
TEST(GrayPipelineTest, AWindowThatShowsNothingIsLeft) {
  EXPECT_EQ(Grays(Windowed("-5000", "100")), Grays(SmallChest()));
  ExpectGrays(Windowed("9000\\2", "10\\4"), {0, 1 / 3.0, 2 / 3.0, 1, 1, 1});
  EXPECT_EQ(Notes(Windowed("-5000", "100"))[0],
            "a window is not used: all pixels would have one gray");
}

}  // namespace
}  // namespace hilum
