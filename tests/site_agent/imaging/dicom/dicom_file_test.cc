// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/dicom/dicom_file.h"

#include <zlib.h>

#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "site_agent/imaging/dicom/decode_dicom.h"
#include "tests/site_agent/imaging/dicom/dicom_maker.h"

namespace hilum {
namespace {

constexpr absl::string_view kDeflated = "1.2.840.10008.1.2.1.99";
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kExhausted = absl::StatusCode::kResourceExhausted;

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

TEST(DicomFileTest, AFileWithoutPreambleIsRead) {
  const std::string whole = SmallChest().File();
  const auto read = DecodeDicom(whole);
  ASSERT_TRUE(read.ok());
  for (size_t left_out : {128, 132}) {
    const auto bare = DecodeDicom(absl::string_view(whole).substr(left_out));
    ASSERT_TRUE(bare.ok()) << bare.status();
    EXPECT_EQ(bare->pixels, read->pixels);
  }
}

TEST(DicomFileTest, ABareDataSetSaysHowToMendIt) {
  const absl::Status status = DecodeDicom(SmallChest().DataSet()).status();
  EXPECT_EQ(status.code(), kInvalid);
  EXPECT_TRUE(absl::StrContains(status.message(), "dcmconv")) << status;
}

TEST(DicomFileTest, ADeflatedBombIsRefused) {
  // 300 blocks of a MB of zeros each: about 300 kB.
  const std::string block = Deflate(std::string(1 << 20, '\0'), Z_FULL_FLUSH);
  std::string bomb = DicomMaker().File(kDeflated);
  for (int i = 0; i < 300; ++i) bomb += block;
  EXPECT_LT(bomb.size(), size_t{1} << 20);
  EXPECT_EQ(DecodeDicom(bomb).status().code(), kExhausted);
}

TEST(DicomFileTest, ATransferSyntaxThatIsNoUidIsNotShown) {
  const std::string bytes = SmallChest().File("1.2\x1b[2J");
  EXPECT_EQ(ReadTransferSyntaxUid(bytes).status().code(), kInvalid);
  EXPECT_FALSE(absl::StrContains(DecodeDicom(bytes).status().message(), "2J"));
}

TEST(DicomFileTest, ElementsOfADeflatedFileStayWhereTheyAreInAMove) {
  const std::string bytes =
      DicomMaker().File(kDeflated) + Deflate(SmallChest().DataSet());
  auto file = ReadDicomFile(bytes);
  ASSERT_TRUE(file.ok()) << file.status();
  const DicomFile moved = *std::move(file);
  EXPECT_EQ(moved.elements.Text(0x00180015), "CHEST");
}

TEST(DicomFileTest, ATransferSyntaxThatIsNotTakenIsUnimplemented) {
  EXPECT_EQ(FindTransferSyntax("1.2.840.10008.1.2.4.100"), nullptr);
  const std::string mpeg = SmallChest().File("1.2.840.10008.1.2.4.100");
  EXPECT_EQ(ReadDicomFile(mpeg).status().code(),
            absl::StatusCode::kUnimplemented);
  EXPECT_EQ(ReadTransferSyntaxUid(mpeg).value(), "1.2.840.10008.1.2.4.100");
  EXPECT_EQ(ReadDicomFile("no DICOM file").status().code(), kInvalid);
  EXPECT_FALSE(IsDicom("DICM"));
}

}  // namespace
}  // namespace hilum
