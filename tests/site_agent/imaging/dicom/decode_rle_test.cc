// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "site_agent/imaging/dicom/decode_dicom.h"
#include "site_agent/imaging/dicom/frame_decoders.h"
#include "tests/site_agent/imaging/dicom/dicom_maker.h"

namespace hilum {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr absl::string_view kRle = "1.2.840.10008.1.2.5";

absl::StatusCode CodeOf(const DicomMaker& maker, absl::string_view syntax) {
  return DecodeDicom(maker.File(syntax)).status().code();
}

TEST(DecodeRleTest, AFrameThatLiesIsRefused) {
  const std::string frame = RleFrame({0, 1, 2, 1000, 2047, 4095});
  for (const auto& [at, value] : {std::pair<int, int>{0, 99},
                                  {0, 1},
                                  {4, 0},
                                  {8, 40},
                                  {8, 127},
                                  {9, 1},
                                  {64, 127},
                                  {64, 4},
                                  {64, -100}}) {
    std::string bad = frame;
    bad[at] = static_cast<char>(value);
    EXPECT_EQ(CodeOf(SmallChest().Fragments({"", bad}), kRle), kInvalid)
        << at << " = " << value;
  }
}

TEST(DecodeRleTest, RunsAndNoOperationsAreDecoded) {
  // High bytes: a run of 6 zeros; low bytes: nothing, 2 literals, a run of 4.
  std::string frame(64, '\0');
  frame[0] = 2;
  frame[4] = 64;
  frame[8] = 66;
  frame += std::string("\xfb\x00\x80\x01\x07\x08\xfd\x09", 8);
  const std::string bytes = SmallChest().Fragments({"", frame}).File(kRle);
  auto file = ReadDicomFile(bytes);
  ASSERT_TRUE(file.ok());
  auto pixels = DecodeStoredPixels(*file);
  ASSERT_TRUE(pixels.ok()) << pixels.status();
  EXPECT_EQ(pixels->bytes,
            std::string("\x07\0\x08\0\x09\0\x09\0\x09\0\x09\0", 12));
}

TEST(DecodeRleTest, AFrameIsAppendedAndColoursAreInterleaved) {
  PixelFormat format;
  format.rows = 1;
  format.columns = 2;
  format.samples = 3;
  format.bits_allocated = 8;
  // Three segments, of red, green and blue, each a literal of two bytes.
  std::string frame(64, '\0');
  frame[0] = 3;
  frame[4] = 64, frame[8] = 67, frame[12] = 70;
  frame += std::string("\1rR\1gG\1bB", 9);
  std::string out = "x";
  const absl::Status decoded = DecodeRleFrame(frame, format, out);
  ASSERT_TRUE(decoded.ok()) << decoded;
  EXPECT_EQ(out, "xrgbRGB");
}

}  // namespace
}  // namespace hilum
