// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "common/base/file.h"
#include "site_agent/imaging/dicom/decode_dicom.h"
#include "site_agent/imaging/dicom/frame_decoders.h"
#include "tests/site_agent/imaging/dicom/dicom_maker.h"

namespace hilum {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

std::string Corpus(const std::string& kind) {
  return ReadFile(HILUM_SOURCE_DIR "/tests/fuzz/corpus/dicom/" + kind).value();
}

StoredPixels PixelsOf(const std::string& kind) {
  const std::string bytes = Corpus(kind);
  auto pixels = DecodeStoredPixels(ReadDicomFile(bytes).value());
  EXPECT_TRUE(pixels.ok()) << kind << ": " << pixels.status();
  return pixels.value_or(StoredPixels());
}

TEST(DecodeDcmtkFrameTest, LosslessFramesAreThePixelsThatWereEncoded) {
  const StoredPixels plain = PixelsOf("explicit");
  EXPECT_EQ(PixelsOf("jpeg_lossless").bytes, plain.bytes);
  EXPECT_EQ(PixelsOf("jpeg_ls").bytes, plain.bytes);
}

TEST(DecodeDcmtkFrameTest, LossyFramesAreNearThePixelsThatWereEncoded) {
  const StoredPixels plain = PixelsOf("explicit");
  const StoredPixels lossy = PixelsOf("jpeg_extended");
  ASSERT_EQ(lossy.bytes.size(), plain.bytes.size());
  EXPECT_NE(lossy.bytes, plain.bytes);
  for (size_t i = 0; i + 1 < plain.bytes.size(); i += 2) {
    const auto word = [i](const StoredPixels& of) {
      return static_cast<uint8_t>(of.bytes[i]) |
             static_cast<uint8_t>(of.bytes[i + 1]) << 8;
    };
    EXPECT_NEAR(word(lossy), word(plain), 60) << i;  // of 4095
  }
}

TEST(DecodeDcmtkFrameTest, ACodestreamOfAnotherSizeIsRefused) {
  // SOF3 of 65500 x 65500, then a scan.
  const std::string jpeg(
      "\xff\xd8\xff\xc3\x00\x0b\x0c\xff\xdc\xff\xdc\x01\x01\x11\x00"
      "\xff\xda\x00\x08\x01\x01\x00\x01\x00\x00\x55\xff\xd9",
      28);
  const absl::Status status =
      DecodeDicom(
          SmallChest().Fragments({"", jpeg}).File("1.2.840.10008.1.2.4.70"))
          .status();
  EXPECT_EQ(status.code(), kInvalid);
  EXPECT_TRUE(absl::StrContains(status.message(), "65500 x 65500")) << status;
}

TEST(DecodeDcmtkFrameTest, AFrameCutShortIsRefusedAndNotFilledUp) {
  const std::string bytes = Corpus("jpeg_ls");
  auto file = ReadDicomFile(bytes);
  ASSERT_TRUE(file.ok()) << file.status();
  auto format = ReadPixelFormat(file->elements);
  ASSERT_TRUE(format.ok()) << format.status();
  const absl::string_view frame =
      file->elements.Find(kPixelDataTag)->items.back();
  for (size_t left : {size_t{0}, size_t{2}, size_t{30}, frame.size() / 2}) {
    std::string out;
    EXPECT_EQ(
        DecodeDcmtkFrame(frame.substr(0, left), *file->syntax, *format, out)
            .code(),
        kInvalid)
        << left;
  }
}

}  // namespace
}  // namespace hilum
