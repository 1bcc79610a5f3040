// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/dicom_write/write_dicom_segmentation.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "site_agent/imaging/decode/decode_mask.h"
#include "tests/site_agent/imaging/dicom/lungs_of_film.h"

namespace hilum {
namespace {

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;
constexpr DicomTag kOrientation = 0x00200020;

TEST(WriteDicomSegmentationTest, AnotherMaskIsAnotherInstanceOfTheSeries) {
  const std::string image = Source().File();
  const auto source = ReadDicomFile(image);
  BinaryMask other = kTwoLungs;
  other.pixels[0] = 1;
  const std::string a = *EncodeLungSegmentation(kTwoLungs, {}, &*source);
  const std::string b = *EncodeLungSegmentation(other, {}, &*source);
  const auto uid = [](const std::string& bytes, DicomTag tag) {
    return ReadDicomFile(bytes)->elements.Text(tag);
  };
  EXPECT_NE(uid(a, 0x00080018), uid(b, 0x00080018));
  EXPECT_EQ(uid(a, 0x0020000e), uid(b, 0x0020000e));
  EXPECT_EQ(uid(a, 0x0020000d), "1.2.3");
}

TEST(WriteDicomSegmentationTest, FramesLieOnTheStoredPixels) {
  // Displayed 3 x 5; stored turned, so that all kinds of turns are met.
  for (const char* orientation :
       {"L\\F", "R\\F", "L\\H", "R\\H", "F\\L", "F\\R", "H\\L", "H\\R"}) {
    const bool turned = orientation[0] == 'F' || orientation[0] == 'H';
    DicomMaker maker = Source().Text(kOrientation, "CS", orientation);
    maker.Words(0x00280010, "US", {turned ? 5 : 3});
    maker.Words(0x00280011, "US", {turned ? 3 : 5});
    const std::string image = maker.File();
    const auto source = ReadDicomFile(image);
    const auto bytes = EncodeLungSegmentation(kTwoLungs, {}, &*source);
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    EXPECT_EQ(ReadDicomFile(*bytes)->elements.Uint16(0x00280010),
              turned ? 5 : 3);
    // The reader turns by the same orientation, so this holds of both.
    EXPECT_EQ(ToBinaryMask(*DecodeMask(*bytes)).pixels, kTwoLungs.pixels)
        << orientation;
  }
  // And absolutely: rows run to the right, so the display mirrors them.
  const std::string image = Source().Text(kOrientation, "CS", "R\\F").File();
  const auto source = ReadDicomFile(image);
  const std::string bytes =
      *EncodeLungSegmentation(Mask({"10000", "10000", "00011"}), {}, &*source);
  const std::string stored(
      ReadDicomFile(bytes)->elements.Find(kPixelDataTag)->value);
  // Right lung first: bits 4 and 9 of the first 15, then 10 and 11 of the next.
  EXPECT_EQ(stored, std::string("\x10\x02\x00\x06", 4));
}

TEST(WriteDicomSegmentationTest, WhatCannotBeWrittenIsRefused) {
  const std::string image = Source().File();
  const auto source = ReadDicomFile(image);
  const auto code = [&](const BinaryMask& mask, const DicomFile* of) {
    return EncodeLungSegmentation(mask, {}, of).status().code();
  };
  EXPECT_EQ(code(Mask({"000", "000"}), nullptr), kInvalid);
  EXPECT_EQ(code({}, nullptr), kInvalid);
  EXPECT_EQ(code(Mask({"101"}), &*source), kInvalid);
}

// By pydicom: its frames, codes and references.
TEST(WriteDicomSegmentationTest, AnotherReaderFindsLungsAndSource) {
  if (std::system("/usr/bin/python3 -c 'import numpy, pydicom' "
                  ">/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "no pydicom here";
  }
  const std::string image = Source().File();
  const auto source = ReadDicomFile(image);
  const std::string path = absl::StrCat(testing::TempDir(), "/lungs.dcm");
  ASSERT_TRUE(WriteFileAtomically(
                  path, *EncodeLungSegmentation(kTwoLungs, {}, &*source),
                  Durability::kNone)
                  .ok());
  EXPECT_EQ(std::system(absl::StrCat("/usr/bin/python3 " HILUM_SOURCE_DIR
                                     "/tests/site_agent/imaging/dicom_write/"
                                     "check_segmentation.py ",
                                     path)
                            .c_str()),
            0);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace hilum
