// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "gtest/gtest.h"
#include "site_agent/imaging/dicom/frame_decoders.h"

namespace hilum {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kExhausted = absl::StatusCode::kResourceExhausted;

// A codestream's main header with tiles, blocks and precincts of these sizes.
std::string Jpeg2000(uint8_t tile, uint8_t block, uint8_t precinct) {
  std::string out("\xff\x4f\xff\x51\x00\x29\x00\x00", 8);
  const auto add = [&out](int value) {
    out += std::string(3, '\0') + static_cast<char>(value);
  };
  for (int value : {100, 100, 0, 0, int{tile}, int{tile}, 0, 0}) add(value);
  out += std::string("\x00\x01\x0b\x01\x01", 5);
  out += std::string("\xff\x52\x00\x0d\x01\x00\x00\x01\x00\x00", 10);
  out += std::string(2, static_cast<char>(block));
  out += std::string("\x00\x01", 2) + static_cast<char>(precinct);
  return out + std::string("\xff\x90\x00\x0a\0\0\0\0\0\0\0\1\xff\x93", 14);
}

PixelFormat Format() {
  PixelFormat format;
  format.rows = format.columns = 100;
  format.bits_allocated = 16;
  return format;
}

absl::StatusCode CodeOf(const std::string& frame) {
  return CheckJpeg2000Header(frame, Format()).status().code();
}

TEST(CheckJpeg2000HeaderTest, ACodestreamCutIntoDustIsRefused) {
  PixelFormat format;
  format.rows = format.columns = 100;
  format.bits_allocated = 16;
  EXPECT_TRUE(CheckJpeg2000Header(Jpeg2000(100, 4, 0x88), format).ok())
      << CheckJpeg2000Header(Jpeg2000(100, 4, 0x88), format).status();
  EXPECT_EQ(CheckJpeg2000Header(Jpeg2000(1, 4, 0x88), format).status().code(),
            kExhausted);
  EXPECT_EQ(CheckJpeg2000Header(Jpeg2000(0, 4, 0x88), format).status().code(),
            kInvalid);
  EXPECT_EQ(CheckJpeg2000Header(Jpeg2000(100, 0, 0x88), format).status().code(),
            kExhausted);
  EXPECT_EQ(CheckJpeg2000Header(Jpeg2000(100, 4, 0x08), format).status().code(),
            kExhausted);
  EXPECT_EQ(CheckJpeg2000Header(Jpeg2000(100, 4, 0x80), format).status().code(),
            kExhausted);
  format.columns = 99;
  EXPECT_EQ(CheckJpeg2000Header(Jpeg2000(100, 4, 0x88), format).status().code(),
            kInvalid);
}

TEST(CheckJpeg2000HeaderTest, MoreBitsOrComponentsThanTheImageAreRefused) {
  const std::string good = Jpeg2000(100, 4, 0x88);
  std::string bad = good;
  bad[41] = 2;  // components
  EXPECT_EQ(CodeOf(bad), kInvalid);
  bad = good;
  bad[42] = 16;  // 17 bits
  EXPECT_EQ(CodeOf(bad), kInvalid);
  bad = good;
  bad[43] = 2;  // subsampled
  EXPECT_EQ(CodeOf(bad), kInvalid);
}

TEST(CheckJpeg2000HeaderTest, EveryTruncationOfTheHeaderIsRefused) {
  const std::string whole = Jpeg2000(100, 4, 0x88);
  for (size_t n = 0; n < whole.size(); ++n) {
    EXPECT_EQ(CodeOf(whole.substr(0, n)), kInvalid) << n;
  }
}

TEST(CheckJpeg2000HeaderTest, ATilePartThatIsCutShortIsRefused) {
  const std::string header = Jpeg2000(100, 4, 0x88);
  // The tile part says that it has 20 bytes, of which 14 are its header.
  std::string part = header;
  part[header.size() - 14 + 9] = 20;
  EXPECT_EQ(CodeOf(part + "abcde"), kInvalid);
  const auto end = CheckJpeg2000Header(part + "abcdef\xff\xd9", Format());
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->at, header.size() + 6);
  EXPECT_TRUE(end->whole);
}

// They would slip past the limits of the main header.
TEST(CheckJpeg2000HeaderTest, ParametersOfATilesOwnAreNotTaken) {
  std::string frame = Jpeg2000(100, 4, 0x88);
  frame.resize(frame.size() - 2);
  frame += std::string("\xff\x52\x00\x02\xff\x93", 6);
  EXPECT_EQ(CodeOf(frame), absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace hilum
