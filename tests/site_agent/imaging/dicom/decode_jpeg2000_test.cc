// SPDX-License-Identifier: Apache-2.0
// Codestreams that lack their end, or have another sign than the header. Right
// is what pydicom 2.3.1 with GDCM makes of them.
#include <filesystem>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "gtest/gtest.h"
#include "site_agent/imaging/dicom/dicom_frames.h"
#include "site_agent/imaging/dicom/frame_decoders.h"

namespace hilum {
namespace {

const char kFolder[] = HILUM_SOURCE_DIR "/../shared/dicom/files/";

struct Frame {
  PixelFormat format;
  std::string bytes;  // up to its end marker
};

Frame ReadFrame(const std::string& name) {
  const std::string bytes = ReadFile(absl::StrCat(kFolder, name)).value();
  const DicomFile file = ReadDicomFile(bytes).value();
  Frame frame{
      ReadPixelFormat(file.elements).value(),
      JoinFragments(file.elements.Find(kPixelDataTag)->items, 1).value()[0]};
  frame.bytes.resize(frame.bytes.rfind("\xff\xd9") + 2);
  return frame;
}

class DecodeJpeg2000Test : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kFolder)) GTEST_SKIP() << "no shared files";
    frame_ = ReadFrame("chestA_j2k90.dcm");
    ASSERT_TRUE(
        DecodeJpeg2000Frame(frame_.bytes, frame_.format, decoded_).ok());
  }
  int Sample(const std::string& bytes, size_t i) const {
    return static_cast<int16_t>(static_cast<uint8_t>(bytes[2 * i]) |
                                static_cast<uint8_t>(bytes[2 * i + 1]) << 8);
  }

  Frame frame_;  // 10 bits, unsigned
  std::string decoded_;
};

TEST_F(DecodeJpeg2000Test, AStreamWithoutItsEndMarkerIsWhole) {
  std::string out;
  const absl::string_view bytes = frame_.bytes;
  const absl::Status status = DecodeJpeg2000Frame(
      bytes.substr(0, bytes.size() - 2), frame_.format, out);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(out, decoded_);
  // A byte less is one of the picture's.
  EXPECT_FALSE(
      DecodeJpeg2000Frame(bytes.substr(0, bytes.size() - 3), frame_.format, out)
          .ok());
}

TEST_F(DecodeJpeg2000Test, UnsignedSamplesOfASignedHeaderAreTwosComplement) {
  PixelFormat is_signed = frame_.format;
  is_signed.is_signed = true;
  std::string out;
  ASSERT_TRUE(DecodeJpeg2000Frame(frame_.bytes, is_signed, out).ok());
  int negative = 0;
  for (size_t i = 0; i < decoded_.size() / 2; ++i) {
    const int value = Sample(decoded_, i);
    ASSERT_EQ(Sample(out, i), value < 512 ? value : value - 1024) << i;
    negative += value >= 512;
  }
  EXPECT_GT(negative, 0);
}

TEST_F(DecodeJpeg2000Test, NegativeSamplesOfAnUnsignedHeaderAreRefused) {
  std::string is_signed = frame_.bytes;
  is_signed[42] |= '\x80';  // Ssiz: its samples are signed
  std::string out;
  const absl::Status status =
      DecodeJpeg2000Frame(is_signed, frame_.format, out);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(status.message(), "Pixel Representation"))
      << status;
  PixelFormat format = frame_.format;
  format.is_signed = true;
  ASSERT_TRUE(DecodeJpeg2000Frame(is_signed, format, out).ok());
  EXPECT_EQ(Sample(out, 0), Sample(decoded_, 0) - 512);
}

}  // namespace
}  // namespace hilum
