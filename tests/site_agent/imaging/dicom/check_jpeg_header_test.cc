// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "site_agent/imaging/dicom/frame_decoders.h"

namespace hilum {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr char kLossless[] = "1.2.840.10008.1.2.4.70";

// Segments of a frame of 2 rows and 3 columns, 12 bits.
const std::string kHead("\xff\xd8", 2);
const std::string kFrame("\xff\xc3\0\x0b\x0c\0\2\0\3\1\1\x11\0", 13);
const std::string kScan("\xff\xda\0\x08\1\1\0\1\0\0\x55", 11);
const std::string kEnd("\xff\xd9", 2);

PixelFormat Format() {
  PixelFormat format;
  format.rows = 2;
  format.columns = 3;
  format.bits_allocated = 16;
  return format;
}

absl::StatusCode CodeOf(const std::string& frame, const char* uid = kLossless) {
  return CheckJpegHeader(frame, *FindTransferSyntax(uid), Format())
      .status()
      .code();
}

// 0xff may come again and again in front of a marker (ISO 10918-1 B.1.1.2).
TEST(CheckJpegHeaderTest, FillBytesAreSkipped) {
  const std::string head("\xff\xd8", 2), comment("\xff\xfe\0\4ab", 6);
  const std::string frame("\xff\xc3\0\x0b\x0c\0\2\0\3\1\1\x11\0", 13);
  const std::string scan("\xff\xda\0\x08\1\1\0\1\0\0\x55\xff\xff\xff\xd9", 15);
  const std::string plain = head + comment + frame + scan;
  const std::string filled =
      head + "\xff\xff" + comment + "\xff" + frame + scan;
  PixelFormat format;
  format.rows = 2;
  format.columns = 3;
  format.bits_allocated = 16;
  const TransferSyntax& syntax = *FindTransferSyntax("1.2.840.10008.1.2.4.70");
  EXPECT_EQ(*CheckJpegHeader(plain, syntax, format), 12);
  EXPECT_EQ(*CheckJpegHeader(filled, syntax, format), 12);
  EXPECT_EQ(WithoutFillBytes(plain), "");
  EXPECT_EQ(WithoutFillBytes(filled), plain);
}

TEST(CheckJpegHeaderTest, AnotherProcessThanTheTransferSyntaxsIsRefused) {
  const std::string frame = kHead + kFrame + kScan + kEnd;
  EXPECT_EQ(CodeOf(frame), absl::StatusCode::kOk);
  for (const char* uid : {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51",
                          "1.2.840.10008.1.2.4.80"}) {
    EXPECT_EQ(CodeOf(frame, uid), kInvalid) << uid;
  }
}

TEST(CheckJpegHeaderTest, AnotherSizeThanTheImagesIsRefused) {
  const std::string frame = kHead + kFrame + kScan + kEnd;
  for (const auto& [at, value] : {std::pair<int, int>{6, 17},  // bits
                                  {6, 1},
                                  {8, 3},      // rows
                                  {10, 4},     // columns
                                  {11, 3}}) {  // components
    std::string bad = frame;
    bad[at] = static_cast<char>(value);
    EXPECT_EQ(CodeOf(bad), kInvalid) << at << " = " << value;
  }
}

// Each costs a pass over all pixels.
TEST(CheckJpegHeaderTest, MoreScansThanComponentsAreRefused) {
  EXPECT_EQ(CodeOf(kHead + kFrame + kScan + kScan + kEnd), kInvalid);
  EXPECT_EQ(CodeOf(kHead + kFrame + kEnd), kInvalid);
}

TEST(CheckJpegHeaderTest, TwoHeadersOrAMarkerWithoutAPlaceAreRefused) {
  EXPECT_EQ(CodeOf(kHead + kFrame + kFrame + kScan + kEnd), kInvalid);
  const std::string unknown("\xff\xcc\0\4ab", 6);
  EXPECT_EQ(CodeOf(kHead + unknown + kFrame + kScan + kEnd), kInvalid);
  EXPECT_EQ(CodeOf(kFrame + kScan + kEnd), kInvalid);
  EXPECT_EQ(CodeOf(""), kInvalid);
}

}  // namespace
}  // namespace hilum
