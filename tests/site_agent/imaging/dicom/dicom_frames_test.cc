// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/dicom/dicom_frames.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "site_agent/imaging/dicom/decode_dicom.h"
#include "tests/site_agent/imaging/dicom/dicom_maker.h"

namespace hilum {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr absl::string_view kRle = "1.2.840.10008.1.2.5";

absl::StatusCode CodeOf(const DicomMaker& maker,
                        absl::string_view syntax = "1.2.840.10008.1.2.1") {
  return DecodeDicom(maker.File(syntax)).status().code();
}

TEST(DicomFramesTest, FragmentsJoinByTheOffsetTable) {
  // Two frames of one pixel, the first in two fragments.
  const std::string frame = RleFrame({513});
  DicomMaker maker = SmallChest().Words(0x00280010, "US", {1});
  maker.Words(0x00280011, "US", {1}).Text(0x00280008, "IS", "2");
  const std::string first = frame.substr(0, 40), rest = frame.substr(40);
  std::string table(8, '\0');
  table[4] = static_cast<char>(frame.size() + 16);
  const std::string bytes =
      maker.Fragments({table, first, rest, RleFrame({4})}).File(kRle);
  auto file = ReadDicomFile(bytes);
  ASSERT_TRUE(file.ok()) << file.status();
  auto pixels = DecodeStoredPixels(*file);
  ASSERT_TRUE(pixels.ok()) << pixels.status();
  EXPECT_EQ(pixels->bytes, std::string("\x01\x02\x04\x00", 4));
  table[4] ^= 1;
  const std::string wrong =
      maker.Fragments({table, first, rest, RleFrame({4})}).File(kRle);
  EXPECT_FALSE(DecodeStoredPixels(*ReadDicomFile(wrong)).ok());
}

TEST(DicomFramesTest, ZerosBehindThePixelsAreDropped) {
  const auto with = [](std::vector<int> more) {
    std::vector<int> words = {0, 1, 2, 1000, 2047, 4095};
    words.insert(words.end(), more.begin(), more.end());
    return SmallChest().Words(kPixelDataTag, "OW", words);
  };
  const auto plain = DecodeDicom(with({}).File());
  for (size_t more : {1, 3, 2048}) {
    const auto padded = DecodeDicom(with(std::vector<int>(more)).File());
    ASSERT_TRUE(padded.ok()) << padded.status();
    EXPECT_EQ(padded->pixels, plain->pixels);
  }
  EXPECT_EQ(CodeOf(with({0, 1})), kInvalid);
  // More than any writer pads: the header is of another picture.
  EXPECT_EQ(CodeOf(with(std::vector<int>(2049))), kInvalid);
}

TEST(DicomFramesTest, WithoutAnOffsetTableEachFragmentIsAFrame) {
  EXPECT_EQ(JoinFragments({"", "a", "b"}, 2).value(),
            (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(JoinFragments({"", "a", "b"}, 1).value(),
            (std::vector<std::string>{"ab"}));
  EXPECT_EQ(JoinFragments({"", "a", "b", "c"}, 2).status().code(), kInvalid);
  EXPECT_EQ(JoinFragments({"", "a"}, 2).status().code(), kInvalid);
}

TEST(DicomFramesTest, PlanesOfColoursAreInterleaved) {
  PixelFormat format;
  format.rows = 1;
  format.columns = 2;
  format.samples = 3;
  format.bits_allocated = 8;
  format.by_plane = true;
  DicomElement pixels{.vr = "OB", .value = "rRgGbB"};
  EXPECT_EQ(UnpackNative(pixels, {}, format).value(), "rgbRGB");
  format.by_plane = false;
  EXPECT_EQ(UnpackNative(pixels, {}, format).value(), "rRgGbB");
  pixels.value = "rRgGb";
  EXPECT_EQ(UnpackNative(pixels, {}, format).status().code(), kInvalid);
}

TEST(DicomFramesTest, BigEndianWordsAreTurned) {
  PixelFormat format;
  format.rows = format.columns = 1;
  format.bits_allocated = 16;
  const DicomElement pixels{.vr = "OW", .value = "\1\2"};
  EXPECT_EQ(UnpackNative(pixels, {.big_endian = true}, format).value(), "\2\1");
}

}  // namespace
}  // namespace hilum
