// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/dicom/patient_orientation.h"

#include "gtest/gtest.h"
#include "site_agent/imaging/decode/decode.h"
#include "tests/site_agent/imaging/dicom/dicom_maker.h"

namespace hilum {
namespace {

// Decodes two rows of three, 0 to 250 in steps of 50, 0.2 mm x 0.1 mm, with
// this Patient Orientation.
absl::StatusOr<GrayImage> Decoded(absl::string_view orientation) {
  DicomMaker maker = SmallChest();
  maker.Words(0x00280101, "US", {8})
      .Words(0x00280102, "US", {7})
      .Words(kPixelDataTag, "OW", {0, 50, 100, 150, 200, 250})
      .Text(0x00181164, "DS", "0.2\\0.1");
  if (!orientation.empty()) maker.Text(0x00200020, "CS", orientation);
  return DecodeImage(maker.File());
}

std::vector<int> Shown(absl::string_view orientation) {
  auto image = Decoded(orientation);
  EXPECT_TRUE(image.ok()) << orientation << ": " << image.status();
  std::vector<int> values;
  if (!image.ok()) return values;
  for (float v : image->pixels) {
    values.push_back(static_cast<int>(v * 255 / 50 + 0.5f));
  }
  return values;
}

TEST(OrientationTest, TheStandardDisplayStaysAsItIs) {
  const std::vector<int> as_stored = {0, 1, 2, 3, 4, 5};
  EXPECT_EQ(Shown(""), as_stored);
  EXPECT_EQ(Shown("L\\F"), as_stored);
  EXPECT_EQ(Shown("LF\\FR"), as_stored);
}

TEST(OrientationTest, MirroredAndTurnedByHalfIsPutRight) {
  EXPECT_EQ(Shown("R\\F"), (std::vector<int>{2, 1, 0, 5, 4, 3}));
  EXPECT_EQ(Shown("L\\H"), (std::vector<int>{3, 4, 5, 0, 1, 2}));
  EXPECT_EQ(Shown("R\\H"), (std::vector<int>{5, 4, 3, 2, 1, 0}));
}

TEST(OrientationTest, SidewaysIsPutUpright) {
  // Rows run to the feet and columns to the left: transposes.
  EXPECT_EQ(Shown("F\\L"), (std::vector<int>{0, 3, 1, 4, 2, 5}));
  // Rows run to the feet, columns to the right: turns by 90 degrees.
  EXPECT_EQ(Shown("F\\R"), (std::vector<int>{3, 0, 4, 1, 5, 2}));
  EXPECT_EQ(Shown("H\\L"), (std::vector<int>{2, 5, 1, 4, 0, 3}));
  EXPECT_EQ(Shown("H\\R"), (std::vector<int>{5, 2, 4, 1, 3, 0}));
}

TEST(OrientationTest, ThePixelsSizeTurnsWithThem) {
  auto plain = Decoded("L\\F");
  auto turned = Decoded("F\\R");
  ASSERT_TRUE(plain.ok() && turned.ok());
  EXPECT_EQ(plain->row_mm, 0.2);
  EXPECT_EQ(plain->column_mm, 0.1);
  EXPECT_EQ(turned->rows, 3);
  EXPECT_EQ(turned->columns, 2);
  EXPECT_EQ(turned->row_mm, 0.1);
  EXPECT_EQ(turned->column_mm, 0.2);
}

TEST(OrientationTest, ASideViewIsNotFrontal) {
  for (const char* orientation : {"A\\F", "P\\F", "L\\A", "H\\P"}) {
    EXPECT_EQ(Decoded(orientation).status().code(),
              absl::StatusCode::kFailedPrecondition)
        << orientation;
  }
}

TEST(OrientationTest, WhatIsNoOrientationCountsAsAbsentAndIsNoted) {
  // The last three have both directions along one axis.
  for (const char* orientation :
       {"L", "L\\", "\\F", "L\\F\\H", "X\\F", "LEFT\\FOOT", "l\\f",
        "UNKNOWN\\UNKNOWN", "L\\R", "H\\F", "L\\L"}) {
    EXPECT_EQ(Shown(orientation), (std::vector<int>{0, 1, 2, 3, 4, 5}))
        << orientation;
    EXPECT_EQ(
        Decoded(orientation)->notes,
        std::vector<std::string>{"the Patient Orientation is not used: it "
                                 "is not two directions"})
        << orientation;
  }
}

TEST(OrientationTest, ValuesThatAreEmptyAreAbsent) {
  auto image = Decoded("\\");
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_TRUE(image->notes.empty());
}

}  // namespace
}  // namespace hilum
