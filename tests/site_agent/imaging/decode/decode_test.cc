// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/decode/decode.h"

#include <png.h>

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/site_agent/imaging/decode/made_pictures.h"

namespace hilum {
namespace {

TEST(DecodeTest, EveryTruncationIsRefused) {
  std::vector<unsigned char> noise(32 * 32);
  for (size_t i = 0; i < noise.size(); ++i) noise[i] = (i * i * 7 + i) & 255;
  for (const std::string& whole :
       {MakePng(32, 32, {PNG_COLOR_TYPE_GRAY, 8}, noise),
        MakeJpeg(32, 32, 1, 90)}) {
    ASSERT_TRUE(DecodeImage(whole).ok());
    for (size_t n = 0; n + 2 < whole.size(); n += 7) {
      EXPECT_EQ(
          DecodeImage(absl::string_view(whole).substr(0, n)).status().code(),
          absl::StatusCode::kInvalidArgument)
          << n;
    }
  }
}

TEST(DecodeTest, ADamagedByteNeverCrashes) {
  for (const std::string& whole :
       {MakePng(9, 9, {PNG_COLOR_TYPE_GRAY, 8}, std::vector<unsigned char>(81)),
        MakeJpeg(16, 16, 3, 90)}) {
    for (size_t i = 0; i < whole.size(); ++i) {
      std::string bytes = whole;
      bytes[i] = static_cast<char>(bytes[i] ^ 0x55);
      auto image = DecodeImage(bytes);
      if (image.ok()) {
        EXPECT_EQ(image->pixels.size(),
                  static_cast<size_t>(image->rows) * image->columns);
      }
    }
  }
}

TEST(DecodeTest, OtherBytesAreNotAnImage) {
  for (const char* bytes : {"", "a", "GIF89a........", "DICM"}) {
    EXPECT_EQ(DecodeImage(bytes).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace hilum
