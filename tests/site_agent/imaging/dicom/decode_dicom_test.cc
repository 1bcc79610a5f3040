// SPDX-License-Identifier: Apache-2.0
// Files with contradictions, truncated files, and files that need too much
// memory.
#include "site_agent/imaging/dicom/decode_dicom.h"

#include <zlib.h>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/site_agent/imaging/dicom/dicom_maker.h"

namespace hilum {
namespace {

constexpr absl::string_view kRle = "1.2.840.10008.1.2.5";
constexpr absl::string_view kDeflated = "1.2.840.10008.1.2.1.99";
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kUnimplemented = absl::StatusCode::kUnimplemented;

std::string Deflate(absl::string_view bytes, int flush = Z_FINISH) {
  z_stream stream = {};
  deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()) + 16, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, flush);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

TEST(DecodeDicomTest, NativeRleAndDeflatedAreOneImage) {
  const auto native = DecodeDicom(SmallChest().File());
  ASSERT_TRUE(native.ok()) << native.status();
  EXPECT_EQ(native->rows, 2);
  EXPECT_EQ(native->columns, 3);
  const auto rle = DecodeDicom(RleChest().File(kRle));
  ASSERT_TRUE(rle.ok()) << rle.status();
  EXPECT_EQ(rle->pixels, native->pixels);
  const std::string header = DicomMaker().File(kDeflated);
  const auto deflated = DecodeDicom(header + Deflate(SmallChest().DataSet()));
  ASSERT_TRUE(deflated.ok()) << deflated.status();
  EXPECT_EQ(deflated->pixels, native->pixels);
}

TEST(DecodeDicomTest, EveryTruncationIsRefused) {
  for (const std::string& whole :
       {SmallChest().File(), RleChest().File(kRle),
        DicomMaker().File(kDeflated) + Deflate(SmallChest().DataSet())}) {
    ASSERT_TRUE(DecodeDicom(whole).ok());
    for (size_t n = 0; n < whole.size(); ++n) {
      EXPECT_EQ(
          DecodeDicom(absl::string_view(whole).substr(0, n)).status().code(),
          kInvalid)
          << n;
    }
  }
}

TEST(DecodeDicomTest, ADamagedByteNeverCrashes) {
  for (const std::string& whole :
       {SmallChest().File(), RleChest().File(kRle)}) {
    for (size_t i = 128; i < whole.size(); ++i) {
      for (int change : {0x01, 0x55, 0x80, 0xff}) {
        std::string bytes = whole;
        bytes[i] = static_cast<char>(bytes[i] ^ change);
        auto image = DecodeDicom(bytes);
        if (!image.ok()) continue;
        EXPECT_EQ(image->pixels.size(),
                  static_cast<size_t>(image->rows) * image->columns);
      }
    }
  }
}

TEST(DecodeDicomTest, GarbageForACodestreamIsRefused) {
  std::string garbage;
  for (int i = 0; i < 4000; ++i) garbage += static_cast<char>(i * i * 31 >> 3);
  for (const char* last : {"4.50", "4.51", "4.57", "4.70", "4.80", "4.81",
                           "4.90", "4.91", "4.201", "4.202", "4.203", "5"}) {
    for (const char* start : {"", "\xff\xd8\xff", "\xff\x4f\xff\x51"}) {
      EXPECT_FALSE(
          DecodeDicom(SmallChest()
                          .Fragments({"", start + garbage})
                          .File(absl::StrCat("1.2.840.10008.1.2.", last)))
              .ok())
          << last;
    }
  }
}

}  // namespace
}  // namespace hilum
