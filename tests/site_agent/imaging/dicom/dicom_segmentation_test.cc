// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/dicom/dicom_segmentation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "site_agent/imaging/decode/decode_mask.h"
#include "site_agent/imaging/dicom_write/write_dicom_segmentation.h"
#include "tests/site_agent/imaging/dicom/dicom_maker.h"

namespace hilum {
namespace {

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;
constexpr DicomTag kOrientation = 0x00200020, kLabel = 0x00620005;

// Rows of 0 and 1.
BinaryMask Mask(const std::vector<std::string>& rows) {
  BinaryMask mask{
      static_cast<int>(rows.size()), static_cast<int>(rows[0].size()), {}};
  for (const std::string& row : rows) {
    for (char c : row) mask.pixels.push_back(c == '1');
  }
  return mask;
}

// 3 rows, 5 columns: frames of 15 bits, so that the second starts inside a
// byte.
const BinaryMask kTwoLungs = Mask({"01010", "11011", "11001"});

DicomMaker Source() {
  DicomMaker maker = SmallChest();
  maker.Words(0x00280010, "US", {3}).Words(0x00280011, "US", {5});
  maker.Bytes(0x7fe00010, "OW", std::string(30, '\0'));
  maker.Text(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.1.1");
  maker.Text(0x00080018, "UI", "1.2.3.4").Text(0x0020000d, "UI", "1.2.3");
  maker.Text(0x0020000e, "UI", "1.2.3.5").Text(0x00080020, "DA", "20200102");
  return maker.Text(0x00100020, "LO", "P1");
}

// Makes another program's segmentation; frames refer to segments 1, 2, ...
DicomMaker Foreign(const std::vector<std::string>& labels,
                   const std::string& bits) {
  DicomMaker maker;
  maker.Text(0x00080016, "UI", kSegmentationClass);
  maker.Words(0x00280002, "US", {1}).Text(0x00280004, "CS", "MONOCHROME2");
  maker.Text(0x00280008, "IS", absl::StrCat(labels.size()));
  maker.Words(0x00280010, "US", {2}).Words(0x00280011, "US", {4});
  maker.Words(0x00280100, "US", {1}).Words(0x00280101, "US", {1});
  maker.Words(0x00280102, "US", {0}).Words(0x00280103, "US", {0});
  maker.Text(0x00620001, "CS", "BINARY").Bytes(0x7fe00010, "OB", bits);
  std::vector<DicomMaker> segments, frames;
  for (size_t i = 0; i < labels.size(); ++i) {
    const int number = static_cast<int>(i) + 1;
    segments.push_back(DicomMaker()
                           .Words(0x00620004, "US", {number})
                           .Text(kLabel, "LO", labels[i]));
    frames.push_back(DicomMaker().Items(
        0x0062000a, {DicomMaker().Words(0x0062000b, "US", {number})}));
  }
  return maker.Items(0x00620002, segments).Items(0x52009230, frames);
}

absl::StatusOr<std::vector<float>> Pixels(const DicomMaker& maker) {
  auto mask = DecodeMask(maker.File());
  if (!mask.ok()) return mask.status();
  return mask->pixels;
}

TEST(DicomSegmentationTest, WhatIsWrittenReadsBack) {
  const std::string image = Source().File();
  const auto source = ReadDicomFile(image);
  ASSERT_TRUE(source.ok()) << source.status();
  for (const DicomFile* of : {&*source, static_cast<const DicomFile*>(0)}) {
    const auto bytes = EncodeLungSegmentation(kTwoLungs, {"net", "key"}, of);
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    EXPECT_EQ(*bytes, *EncodeLungSegmentation(kTwoLungs, {"net", "key"}, of));
    const auto mask = DecodeMask(*bytes);
    ASSERT_TRUE(mask.ok()) << mask.status();
    EXPECT_EQ(ToBinaryMask(*mask).pixels, kTwoLungs.pixels);
    EXPECT_EQ(mask->columns, 5);
  }
}

TEST(DicomSegmentationTest, AnotherMaskIsAnotherInstanceOfTheSeries) {
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

TEST(DicomSegmentationTest, FramesLieOnTheStoredPixels) {
  // Displayed as 3 x 5; stored in all orientations.
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
    // The reader turns by the same orientation, so both directions agree.
    EXPECT_EQ(ToBinaryMask(*DecodeMask(*bytes)).pixels, kTwoLungs.pixels)
        << orientation;
  }
  // Checks the direction itself: rows run to the right, so the display mirrors
  // them.
  const std::string image = Source().Text(kOrientation, "CS", "R\\F").File();
  const auto source = ReadDicomFile(image);
  const std::string bytes =
      *EncodeLungSegmentation(Mask({"10000", "10000", "00011"}), {}, &*source);
  const std::string stored(
      ReadDicomFile(bytes)->elements.Find(kPixelDataTag)->value);
  // Right lung first: bits 4 and 9 of the first 15, then 10 and 11 of the next.
  EXPECT_EQ(stored, std::string("\x10\x02\x00\x06", 4));
}

TEST(DicomSegmentationTest, LungsAreChosenByLabelOrCode) {
  const std::string three("\x01\x02\x04\x00", 4);
  EXPECT_EQ(*Pixels(Foreign({"Left Lung", "Heart", "RIGHT_LUNG"}, three)),
            (std::vector<float>{1, 0, 1, 0, 0, 0, 0, 0}));
  EXPECT_EQ(
      Pixels(Foreign({"Heart", "Lung nodule", "Rib"}, three)).status().code(),
      kInvalid);
  DicomMaker coded = Foreign({"A", "B", "C"}, three);
  std::vector<DicomMaker> segments;
  for (const auto& [scheme, code] :
       {std::pair{"SCT", "80891009"}, {"SRT", "T-28500"}, {"99X", "3341006"}}) {
    DicomMaker type = DicomMaker().Text(0x00080100, "SH", code);
    segments.push_back(
        DicomMaker()
            .Words(0x00620004, "US", {static_cast<int>(segments.size()) + 1})
            .Items(0x0062000f, {type.Text(0x00080102, "SH", scheme)}));
  }
  EXPECT_EQ(*Pixels(coded.Items(0x00620002, segments)),
            (std::vector<float>{0, 1, 0, 0, 0, 0, 0, 0}));
}

TEST(DicomSegmentationTest, FractionsAreOfTheirMaximum) {
  DicomMaker maker = Foreign({"Lungs"}, std::string("\0\0\0\0\x32\x64\0\0", 8));
  maker.Text(0x00620001, "CS", "FRACTIONAL").Words(0x0062000e, "US", {100});
  for (const auto& [tag, value] :
       {std::pair{0x00280100u, 8}, {0x00280101u, 8}, {0x00280102u, 7}}) {
    maker.Words(tag, "US", {value});
  }
  EXPECT_EQ(*Pixels(maker), (std::vector<float>{0, 0, 0, 0, 0.5, 1, 0, 0}));
  maker.Words(0x0062000e, "US", {0});
  EXPECT_EQ(Pixels(maker).status().code(), kInvalid);
}

TEST(DicomSegmentationTest, WhatIsNotARadiographsIsRefused) {
  const std::string two("\x01\x02", 2);
  ASSERT_TRUE(Pixels(Foreign({"left lung", "right lung"}, two)).ok());
  const DicomMaker good = Foreign({"left lung", "right lung"}, two);
  const auto code = [](const DicomMaker& maker) {
    return Pixels(maker).status().code();
  };
  const DicomMaker first = DicomMaker().Items(
      0x0062000a, {DicomMaker().Words(0x0062000b, "US", {1})});
  DicomMaker maker = good;  // a volume: two frames of one segment
  EXPECT_EQ(code(maker.Items(0x52009230, {first, first})), kInvalid);
  maker = good;
  EXPECT_EQ(code(maker.Items(0x52009230, {first})), kInvalid);
  maker = good;
  EXPECT_EQ(code(maker.Items(0x52009230, {first, DicomMaker()})), kInvalid);
  maker = good;
  EXPECT_EQ(code(maker.Remove(0x00620002)), kInvalid);
  maker = good;
  EXPECT_EQ(code(maker.Text(0x00620001, "CS", "LABELMAP")),
            absl::StatusCode::kUnimplemented);
  maker = good;
  EXPECT_EQ(code(maker.Text(0x00280008, "IS", "3")), kInvalid);
  maker = good;
  EXPECT_EQ(code(maker.Text(kOrientation, "CS", "A\\F")),
            absl::StatusCode::kFailedPrecondition);
}

TEST(DicomSegmentationTest, LabelsAreNotQuoted) {
  const absl::Status status =
      Pixels(Foreign({"Jane Doe"}, std::string(2, '\1'))).status();
  EXPECT_FALSE(status.ok());
  EXPECT_FALSE(absl::StrContains(status.message(), "Jane"));
}

TEST(DicomSegmentationTest, DamageIsRefusedAndNeverCrashes) {
  const std::string whole =
      Foreign({"left lung", "right lung"}, std::string("\x01\x02", 2)).File();
  ASSERT_TRUE(DecodeMask(whole).ok());
  for (size_t n = 0; n < whole.size(); ++n) {
    EXPECT_FALSE(DecodeMask(absl::string_view(whole).substr(0, n)).ok()) << n;
  }
  for (size_t i = 128; i < whole.size(); ++i) {
    for (int change : {0x01, 0x55, 0x80, 0xff}) {
      std::string bytes = whole;
      bytes[i] = static_cast<char>(bytes[i] ^ change);
      auto mask = DecodeMask(bytes);
      if (!mask.ok()) continue;
      EXPECT_EQ(mask->pixels.size(),
                static_cast<size_t>(mask->rows) * mask->columns);
    }
  }
}

TEST(DicomSegmentationTest, WhatCannotBeWrittenIsRefused) {
  const std::string image = Source().File();
  const auto source = ReadDicomFile(image);
  const auto code = [&](const BinaryMask& mask, const DicomFile* of) {
    return EncodeLungSegmentation(mask, {}, of).status().code();
  };
  EXPECT_EQ(code(Mask({"000", "000"}), nullptr), kInvalid);
  EXPECT_EQ(code({}, nullptr), kInvalid);
  EXPECT_EQ(code(Mask({"101"}), &*source), kInvalid);
}

// Reads frames, codes and references with pydicom.
TEST(DicomSegmentationTest, AnotherReaderFindsLungsAndSource) {
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
