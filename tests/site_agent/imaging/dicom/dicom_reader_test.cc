// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/dicom/dicom_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "site_agent/imaging/dicom/decode_dicom.h"
#include "tests/site_agent/imaging/dicom/dicom_maker.h"

namespace hilum {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kExhausted = absl::StatusCode::kResourceExhausted;

// A private element in front of the chest's, its header as given.
absl::StatusOr<GrayImage> WithPrivate(absl::string_view header,
                                      absl::string_view value) {
  return DecodeDicom(absl::StrCat(DicomMaker().File(),
                                  absl::string_view("\x01\x00\x10\x10", 4),
                                  header, value, SmallChest().DataSet()));
}

TEST(DicomReaderTest, DeepSequencesAreRefused) {
  // Sequences and items of undefined length, one in the other.
  const std::string sequence =
      std::string("\x09\x00\x01\x10SQ\0\0\xff\xff\xff\xff", 12) +
      std::string("\xfe\xff\x00\xe0\xff\xff\xff\xff", 8);
  std::string deep = DicomMaker().File();
  for (int i = 0; i < 1000000; ++i) deep += sequence;
  EXPECT_EQ(DecodeDicom(deep).status().code(), kExhausted);
}

TEST(DicomReaderTest, AnUnknownValueRepresentationIsSkipped) {
  // Spaces, and a length of two bytes; a VR of no standard, with two and four.
  for (absl::string_view header :
       {absl::string_view("  \6\0", 4), absl::string_view("RE\6\0", 4),
        absl::string_view("RE\0\0\6\0\0\0", 8),
        absl::string_view("\0\0\6\0", 4)}) {
    EXPECT_TRUE(WithPrivate(header, "VENDOR").ok()) << header;
  }
}

TEST(DicomReaderTest, AnUnknownValueRepresentationThatCannotBeIsNamed) {
  const absl::Status status = WithPrivate("REVE", "NDOR").status();
  EXPECT_EQ(status.code(), kInvalid);
  EXPECT_TRUE(absl::StrContains(status.message(), "(0001,1010)")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "representation RE"))
      << status;
}

TEST(DicomReaderTest, AnUnknownSequenceMayBeExplicitInside) {
  const std::string item("\xfe\xff\x00\xe0\xff\xff\xff\xff", 8);
  const std::string ends("\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0",
                         16);
  const std::string text =
      DicomMaker().Text(0x00080104, "LO", "private").DataSet();
  EXPECT_TRUE(WithPrivate(absl::string_view("UN\0\0\xff\xff\xff\xff", 8),
                          item + text + ends)
                  .ok());
}

TEST(DicomReaderTest, ElementsComeOneAfterTheOther) {
  const std::string bytes = DicomMaker()
                                .Text(0x00080060, "CS", "CR")
                                .Text(0x00180015, "CS", "CHEST ")
                                .DataSet();
  DicomReader reader(bytes, {});
  for (const auto& [tag, value] :
       {std::pair<DicomTag, const char*>{0x00080060, "CR"},
        {0x00180015, "CHEST "}}) {
    ASSERT_FALSE(reader.AtEnd());
    EXPECT_EQ(reader.PeekTag().value(), tag);
    DicomElement element;
    ASSERT_TRUE(reader.ReadElement(tag, element).ok());
    EXPECT_EQ(element.vr, "CS");
    EXPECT_EQ(element.value, value);
  }
  EXPECT_TRUE(reader.AtEnd());
  EXPECT_EQ(reader.position(), bytes.size());
}

TEST(DicomReaderTest, ALengthOverWhatIsThereIsRefused) {
  std::string bytes = DicomMaker().Text(0x00080060, "CS", "CR").DataSet();
  bytes[6] = 3;
  DicomReader reader(bytes, {});
  DicomElement element;
  ASSERT_EQ(reader.PeekTag().value(), 0x00080060u);
  EXPECT_EQ(reader.ReadElement(0x00080060, element).code(), kInvalid);
}

}  // namespace
}  // namespace hilum
