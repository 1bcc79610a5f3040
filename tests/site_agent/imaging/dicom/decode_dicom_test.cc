// SPDX-License-Identifier: Apache-2.0
// Files with contradictions, truncated files, and files that need too much
// memory.
#include "site_agent/imaging/dicom/decode_dicom.h"

#include <zlib.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "site_agent/imaging/dicom/frame_decoders.h"
#include "tests/site_agent/imaging/dicom/dicom_maker.h"

namespace hilum {
namespace {

constexpr absl::string_view kRle = "1.2.840.10008.1.2.5";
constexpr absl::string_view kDeflated = "1.2.840.10008.1.2.1.99";
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kExhausted = absl::StatusCode::kResourceExhausted;
constexpr auto kUnimplemented = absl::StatusCode::kUnimplemented;

absl::StatusCode CodeOf(const DicomMaker& maker,
                        absl::string_view syntax = "1.2.840.10008.1.2.1") {
  return DecodeDicom(maker.File(syntax)).status().code();
}

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

// Encodes two segments: the high bytes, then the low ones, each as a literal.
std::string RleFrame(const std::vector<int>& words) {
  std::string high(1, static_cast<char>(words.size() - 1)), low = high;
  for (int word : words) {
    high.push_back(static_cast<char>(word >> 8));
    low.push_back(static_cast<char>(word & 0xff));
  }
  std::string frame(64, '\0');
  frame[0] = 2;
  frame[4] = 64;
  frame[8] = static_cast<char>(64 + high.size());
  return frame + high + low;
}

DicomMaker RleChest() {
  return SmallChest().Fragments(
      {"", RleFrame({0, 1, 2, 1000, 2047, 4095}) + std::string(1, '\0')});
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

TEST(DecodeDicomTest, RowsAndColumnsMustFitThePixels) {
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

TEST(DecodeDicomTest, AHugeHeaderIsRefusedBeforeAnyPixel) {
  DicomMaker huge = SmallChest().Words(0x00280010, "US", {65535});
  EXPECT_EQ(CodeOf(huge.Words(0x00280011, "US", {65535})), kExhausted);
  EXPECT_EQ(CodeOf(SmallChest().Text(0x00280008, "IS", "2000000000")),
            kExhausted);
}

TEST(DecodeDicomTest, ADeflatedBombIsRefused) {
  // 300 blocks of a MB of zeros each: about 300 kB.
  const std::string block = Deflate(std::string(1 << 20, '\0'), Z_FULL_FLUSH);
  std::string bomb = DicomMaker().File(kDeflated);
  for (int i = 0; i < 300; ++i) bomb += block;
  EXPECT_LT(bomb.size(), size_t{1} << 20);
  EXPECT_EQ(DecodeDicom(bomb).status().code(), kExhausted);
}

TEST(DecodeDicomTest, DeepSequencesAreRefused) {
  // Sequences and items of undefined length, one in the other.
  const std::string sequence =
      std::string("\x09\x00\x01\x10SQ\0\0\xff\xff\xff\xff", 12) +
      std::string("\xfe\xff\x00\xe0\xff\xff\xff\xff", 8);
  std::string deep = DicomMaker().File();
  for (int i = 0; i < 1000000; ++i) deep += sequence;
  EXPECT_EQ(DecodeDicom(deep).status().code(), kExhausted);
}

TEST(DecodeDicomTest, ManyElementsAreRefused) {
  std::string many = DicomMaker().File();
  for (int i = 0; i <= 1 << 16; ++i) {
    for (int byte : {9 + (i >> 16), 0, i & 0xff, i >> 8 & 0xff}) {
      many += static_cast<char>(byte);
    }
    many += std::string("OB\0\0\0\0\0\0", 8);
  }
  EXPECT_EQ(DecodeDicom(many).status().code(), kExhausted);
}

TEST(DecodeDicomTest, AnElementTwiceIsRefusedWhereItMatters) {
  const auto code_of = [](const DicomMaker& in_front) {
    return DecodeDicom(DicomMaker().File() + in_front.DataSet() +
                       SmallChest().DataSet())
        .status()
        .code();
  };
  EXPECT_EQ(code_of(DicomMaker().Words(0x00280010, "US", {3})), kInvalid);
  // A repetition with the same value changes nothing.
  EXPECT_EQ(code_of(DicomMaker().Words(0x00280010, "US", {2})),
            absl::StatusCode::kOk);
  // Private elements are never read.
  const DicomMaker one = DicomMaker().Text(0x00091010, "LO", "A");
  const DicomMaker two = DicomMaker().Text(0x00091010, "LO", "B");
  EXPECT_TRUE(DecodeDicom(DicomMaker().File() + one.DataSet() + two.DataSet() +
                          SmallChest().DataSet())
                  .ok());
}

// Inserts a private element with the given header before the chest's.
absl::StatusOr<GrayImage> WithPrivate(absl::string_view header,
                                      absl::string_view value) {
  return DecodeDicom(absl::StrCat(DicomMaker().File(),
                                  absl::string_view("\x01\x00\x10\x10", 4),
                                  header, value, SmallChest().DataSet()));
}

TEST(DecodeDicomTest, AnUnknownValueRepresentationIsSkipped) {
  // Tries spaces, and a length of two bytes; an unknown VR, with two and four.
  for (absl::string_view header :
       {absl::string_view("  \6\0", 4), absl::string_view("RE\6\0", 4),
        absl::string_view("RE\0\0\6\0\0\0", 8),
        absl::string_view("\0\0\6\0", 4)}) {
    EXPECT_TRUE(WithPrivate(header, "VENDOR").ok()) << header;
  }
}

TEST(DecodeDicomTest, AnUnknownValueRepresentationThatCannotBeIsNamed) {
  const absl::Status status = WithPrivate("REVE", "NDOR").status();
  EXPECT_EQ(status.code(), kInvalid);
  EXPECT_TRUE(absl::StrContains(status.message(), "(0001,1010)")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "representation RE"))
      << status;
}

TEST(DecodeDicomTest, AnUnknownSequenceMayBeExplicitInside) {
  const std::string item("\xfe\xff\x00\xe0\xff\xff\xff\xff", 8);
  const std::string ends("\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0",
                         16);
  const std::string text =
      DicomMaker().Text(0x00080104, "LO", "private").DataSet();
  EXPECT_TRUE(WithPrivate(absl::string_view("UN\0\0\xff\xff\xff\xff", 8),
                          item + text + ends)
                  .ok());
}

TEST(DecodeDicomTest, AFileWithoutPreambleIsRead) {
  const std::string whole = SmallChest().File();
  const auto read = DecodeDicom(whole);
  ASSERT_TRUE(read.ok());
  for (size_t left_out : {128, 132}) {
    const auto bare = DecodeDicom(absl::string_view(whole).substr(left_out));
    ASSERT_TRUE(bare.ok()) << bare.status();
    EXPECT_EQ(bare->pixels, read->pixels);
  }
}

TEST(DecodeDicomTest, ABareDataSetSaysHowToMendIt) {
  const absl::Status status = DecodeDicom(SmallChest().DataSet()).status();
  EXPECT_EQ(status.code(), kInvalid);
  EXPECT_TRUE(absl::StrContains(status.message(), "dcmconv")) << status;
}

TEST(DecodeDicomTest, ZerosBehindThePixelsAreDropped) {
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
  // No writer pads so much: the header is of another picture.
  EXPECT_EQ(CodeOf(with(std::vector<int>(2049))), kInvalid);
}

// 0xff may come again and again in front of a marker (ISO 10918-1 B.1.1.2).
TEST(DecodeDicomTest, FillBytesOfAJpegAreSkipped) {
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

TEST(DecodeDicomTest, ColoursFramesAndPalettesAreRefusedWithAReason) {
  DicomMaker rgb = SmallChest().Words(0x00280002, "US", {3});
  EXPECT_EQ(CodeOf(rgb.Text(0x00280004, "CS", "RGB")), kUnimplemented);
  EXPECT_EQ(CodeOf(SmallChest().Text(0x00280004, "CS", "PALETTE COLOR")),
            kUnimplemented);
  EXPECT_EQ(CodeOf(SmallChest().Text(0x00280008, "IS", "2")), kUnimplemented);
  EXPECT_EQ(CodeOf(SmallChest().Words(0x00280002, "US", {3})), kInvalid);
}

TEST(DecodeDicomTest, BitsThatDoNotFitAreRefused) {
  EXPECT_EQ(CodeOf(SmallChest().Words(0x00280101, "US", {20})), kInvalid);
  EXPECT_EQ(CodeOf(SmallChest().Words(0x00280101, "US", {0})), kInvalid);
  EXPECT_EQ(CodeOf(SmallChest().Words(0x00280102, "US", {16})), kInvalid);
  EXPECT_EQ(CodeOf(SmallChest().Words(0x00280102, "US", {10})), kInvalid);
}

TEST(DecodeDicomTest, RleThatLiesIsRefused) {
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

TEST(DecodeDicomTest, RleRunsAndNoOperations) {
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

TEST(DecodeDicomTest, EncapsulationMustBeTheTransferSyntaxs) {
  EXPECT_EQ(CodeOf(SmallChest(), kRle), kInvalid);
  EXPECT_EQ(CodeOf(RleChest()), kInvalid);
  EXPECT_EQ(CodeOf(SmallChest().Fragments({""}), kRle), kInvalid);
  EXPECT_EQ(CodeOf(SmallChest(), "1.2.840.10008.1.2.4.100"), kUnimplemented);
}

TEST(DecodeDicomTest, ATransferSyntaxThatIsNoUidIsNotShown) {
  const std::string bytes = SmallChest().File("1.2\x1b[2J");
  EXPECT_EQ(ReadTransferSyntaxUid(bytes).status().code(), kInvalid);
  EXPECT_FALSE(absl::StrContains(DecodeDicom(bytes).status().message(), "2J"));
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

TEST(DecodeDicomTest, ACodestreamOfAnotherSizeIsRefused) {
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

// Makes a codestream's main header with tiles, blocks and precincts of these
// sizes.
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

TEST(DecodeDicomTest, Jpeg2000CutIntoDustIsRefused) {
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

TEST(DecodeDicomTest, FragmentsJoinByTheOffsetTable) {
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

}  // namespace
}  // namespace hilum
