// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/dicom/dicom_elements.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "site_agent/imaging/dicom/decode_dicom.h"
#include "tests/site_agent/imaging/dicom/dicom_maker.h"

namespace hilum {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kExhausted = absl::StatusCode::kResourceExhausted;

TEST(DicomElementsTest, ManyElementsAreRefused) {
  std::string many = DicomMaker().File();
  for (int i = 0; i <= 1 << 16; ++i) {
    for (int byte : {9 + (i >> 16), 0, i & 0xff, i >> 8 & 0xff}) {
      many += static_cast<char>(byte);
    }
    many += std::string("OB\0\0\0\0\0\0", 8);
  }
  EXPECT_EQ(DecodeDicom(many).status().code(), kExhausted);
}

TEST(DicomElementsTest, AnElementTwiceIsRefusedWhereItMatters) {
  const auto code_of = [](const DicomMaker& in_front) {
    return DecodeDicom(DicomMaker().File() + in_front.DataSet() +
                       SmallChest().DataSet())
        .status()
        .code();
  };
  EXPECT_EQ(code_of(DicomMaker().Words(0x00280010, "US", {3})), kInvalid);
  // The same again says nothing else.
  EXPECT_EQ(code_of(DicomMaker().Words(0x00280010, "US", {2})),
            absl::StatusCode::kOk);
  // Nobody looks at private ones.
  const DicomMaker one = DicomMaker().Text(0x00091010, "LO", "A");
  const DicomMaker two = DicomMaker().Text(0x00091010, "LO", "B");
  EXPECT_TRUE(DecodeDicom(DicomMaker().File() + one.DataSet() + two.DataSet() +
                          SmallChest().DataSet())
                  .ok());
}

TEST(DicomElementsTest, TextsAreCutAndLoseTheirPadding) {
  const std::string bytes = DicomMaker()
                                .Text(0x00080008, "CS", "ORIGINAL\\ PRIMARY ")
                                .Text(0x00080016, "UI", "1.2.3")
                                .Text(0x00080060, "CS", "")
                                .DataSet();
  auto elements = DicomElements::Parse(bytes, {});
  ASSERT_TRUE(elements.ok()) << elements.status();
  EXPECT_EQ(elements->Texts(0x00080008),
            (std::vector<std::string>{"ORIGINAL", "PRIMARY"}));
  EXPECT_EQ(elements->Text(0x00080016), "1.2.3");
  EXPECT_TRUE(elements->Texts(0x00080060).empty());
  EXPECT_TRUE(elements->Texts(0x00100010).empty());
  EXPECT_EQ(elements->Find(0x00100010), nullptr);
}

TEST(DicomElementsTest, ANumberThatIsNoneIsNamedByItsTagAlone) {
  for (const char* wrong : {"two", "1\\", "nan", "inf", "1,5"}) {
    const std::string bytes =
        DicomMaker().Text(0x00281050, "DS", wrong).DataSet();
    const auto numbers = DicomElements::Parse(bytes, {})->Numbers(0x00281050);
    EXPECT_EQ(numbers.status().code(), kInvalid) << wrong;
    EXPECT_TRUE(absl::StrContains(numbers.status().message(), "(0028,1050)"))
        << numbers.status();
  }
  const std::string bytes =
      DicomMaker().Text(0x00281050, "DS", "-1.5\\2e3").DataSet();
  EXPECT_EQ(DicomElements::Parse(bytes, {})->Numbers(0x00281050).value(),
            (std::vector<double>{-1.5, 2000}));
}

TEST(DicomElementsTest, WordsFollowTheByteOrderOfTheDataSet) {
  const std::string big("\x00\x28\x00\x10US\x00\x02\x01\x02", 10);
  auto elements = DicomElements::Parse(big, {.big_endian = true});
  ASSERT_TRUE(elements.ok()) << elements.status();
  EXPECT_EQ(elements->Uint16(0x00280010), 0x0102);
  const std::string two =
      DicomMaker().Words(0x00280010, "US", {1, 2}).DataSet();
  EXPECT_EQ(DicomElements::Parse(two, {})->Uint16(0x00280010), std::nullopt);
  EXPECT_EQ(DicomElements::Parse(two, {})->Uint16s(0x00280010),
            (std::vector<uint16_t>{1, 2}));
}

TEST(DicomElementsTest, AGroupEndsWhereAnotherBegins) {
  const std::string group =
      DicomMaker().Text(0x00020010, "UI", "1.2").DataSet();
  const std::string rest = DicomMaker().Text(0x00080060, "CS", "CR").DataSet();
  size_t end = 0;
  auto elements = DicomElements::ParseGroup(group + rest, {}, 2, end);
  ASSERT_TRUE(elements.ok()) << elements.status();
  EXPECT_EQ(end, group.size());
  EXPECT_EQ(elements->Find(0x00080060), nullptr);
  EXPECT_EQ(
      DicomElements::ParseGroup(group + group, {}, 2, end).status().code(),
      kInvalid);
}

}  // namespace
}  // namespace hilum
