// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/dicom/dicom_segmentation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "site_agent/imaging/decode/decode_mask.h"
#include "site_agent/imaging/dicom_write/write_dicom_segmentation.h"
#include "tests/site_agent/imaging/dicom/lungs_of_film.h"

namespace hilum {
namespace {

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;
constexpr DicomTag kOrientation = 0x00200020, kLabel = 0x00620005;

// A foreign segmentation; frames name segments 1, 2, ...
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

}  // namespace
}  // namespace hilum
