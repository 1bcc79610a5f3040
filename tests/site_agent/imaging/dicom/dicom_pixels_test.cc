// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/dicom/dicom_pixels.h"

#include <gtest/gtest.h>

#include <string>

#include "site_agent/imaging/dicom/decode_dicom.h"
#include "tests/site_agent/imaging/dicom/dicom_maker.h"

namespace hilum {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kExhausted = absl::StatusCode::kResourceExhausted;
constexpr auto kUnimplemented = absl::StatusCode::kUnimplemented;
constexpr absl::string_view kRle = "1.2.840.10008.1.2.5";

absl::StatusCode CodeOf(const DicomMaker& maker,
                        absl::string_view syntax = "1.2.840.10008.1.2.1") {
  return DecodeDicom(maker.File(syntax)).status().code();
}

TEST(DicomPixelsTest, RowsAndColumnsMustFitThePixels) {
  for (int rows : {0, 1, 3, 65535}) {
    EXPECT_FALSE(
        DecodeDicom(SmallChest().Words(0x00280010, "US", {rows}).File()).ok())
        << rows;
    EXPECT_FALSE(
        DecodeDicom(RleChest().Words(0x00280010, "US", {rows}).File(kRle)).ok())
        << rows;
  }
  EXPECT_EQ(CodeOf(SmallChest().Remove(0x00280011)), kInvalid);
}

TEST(DicomPixelsTest, AHugeHeaderIsRefusedBeforeAnyPixel) {
  DicomMaker huge = SmallChest().Words(0x00280010, "US", {65535});
  EXPECT_EQ(CodeOf(huge.Words(0x00280011, "US", {65535})), kExhausted);
  EXPECT_EQ(CodeOf(SmallChest().Text(0x00280008, "IS", "2000000000")),
            kExhausted);
}

TEST(DicomPixelsTest, ColoursFramesAndPalettesAreRefusedWithAReason) {
  DicomMaker rgb = SmallChest().Words(0x00280002, "US", {3});
  EXPECT_EQ(CodeOf(rgb.Text(0x00280004, "CS", "RGB")), kUnimplemented);
  EXPECT_EQ(CodeOf(SmallChest().Text(0x00280004, "CS", "PALETTE COLOR")),
            kUnimplemented);
  EXPECT_EQ(CodeOf(SmallChest().Text(0x00280008, "IS", "2")), kUnimplemented);
  EXPECT_EQ(CodeOf(SmallChest().Words(0x00280002, "US", {3})), kInvalid);
}

TEST(DicomPixelsTest, BitsThatDoNotFitAreRefused) {
  EXPECT_EQ(CodeOf(SmallChest().Words(0x00280101, "US", {20})), kInvalid);
  EXPECT_EQ(CodeOf(SmallChest().Words(0x00280101, "US", {0})), kInvalid);
  EXPECT_EQ(CodeOf(SmallChest().Words(0x00280102, "US", {16})), kInvalid);
  EXPECT_EQ(CodeOf(SmallChest().Words(0x00280102, "US", {10})), kInvalid);
}

TEST(DicomPixelsTest, EncapsulationMustBeTheTransferSyntaxs) {
  EXPECT_EQ(CodeOf(SmallChest(), kRle), kInvalid);
  EXPECT_EQ(CodeOf(RleChest()), kInvalid);
  EXPECT_EQ(CodeOf(SmallChest().Fragments({""}), kRle), kInvalid);
  EXPECT_EQ(CodeOf(SmallChest(), "1.2.840.10008.1.2.4.100"), kUnimplemented);
}

TEST(DicomPixelsTest, StoredValuesAreTheFilesBits) {
  const std::string bytes = SmallChest().File();
  auto pixels = DecodeStoredPixels(ReadDicomFile(bytes).value());
  ASSERT_TRUE(pixels.ok()) << pixels.status();
  EXPECT_EQ(pixels->format.bits_stored, 12);
  EXPECT_EQ(pixels->bytes.size(), pixels->format.frame_bytes());
  EXPECT_EQ(pixels->bytes.substr(6), std::string("\xe8\3\xff\7\xff\xf", 6));
}

}  // namespace
}  // namespace hilum
