// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/dicom_write/dicom_writer.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "tests/site_agent/imaging/dicom/dicom_maker.h"

namespace hilum {
namespace {

TEST(DicomWriterTest, UidIsTheDecimalNumberOfItsUuid) {
  // SHA-256 of nothing is e3b0c442 98fc1c14 9afbf4c8 996fb924 ...; the UUID
  // e3b0c442-98fc-8c14-9afb-f4c8996fb924, its number by Python's int().
  EXPECT_EQ(UidFromBytes(""), "2.25.302652579918966106791432553938847512868");
}

// Else two objects could be taken for one.
TEST(DicomWriterTest, UidsTellWhereAPartEnds) {
  const std::string uid = UidOf("series", {"ab", "c"});
  EXPECT_NE(UidOf("series", {"a", "bc"}), uid);
  EXPECT_NE(UidOf("series", {"ab", "c", ""}), uid);
  EXPECT_NE(UidOf("instance", {"ab", "c"}), uid);
  EXPECT_EQ(UidOf("series", {"ab", "c"}), uid);
  EXPECT_TRUE(absl::StartsWith(uid, "2.25."));
  EXPECT_LE(uid.size(), 64u);
}

TEST(DicomWriterTest, TextIsOnePrintableValueAndCut) {
  EXPECT_EQ(DicomText("a\x1b[2J\xc3\xa4\nb", 64), "a?[2J???b");
  EXPECT_EQ(DicomText("a\\b", 64), "a/b");
  EXPECT_EQ(DicomText("abcdef", 3), "abc");
}

TEST(DicomWriterTest, AnElementThatIsTooLongToCopyIsRefused) {
  const auto copied = [](size_t length) {
    const std::string bytes =
        SmallChest().Text(0x00100020, "LO", std::string(length, 'P')).File();
    const auto source = ReadDicomFile(bytes);
    DcmItem item;
    OFCondition condition;
    DicomWriter writer(&item, condition);
    return CopyElements(&*source, {}, writer);
  };
  EXPECT_TRUE(copied(1024).ok()) << copied(1024);
  EXPECT_TRUE(absl::IsInvalidArgument(copied(1026)));
}

TEST(DicomWriterTest, WhatIsNoUidOfTheSourceIsNotTakenForOne) {
  const std::string bytes = SmallChest()
                                .Text(0x00080018, "UI", "1.2.3")
                                .Text(0x0020000d, "UI", "Jane Doe")
                                .File();
  const auto source = ReadDicomFile(bytes);
  EXPECT_EQ(UidIn(&*source, 0x00080018), "1.2.3");
  EXPECT_EQ(UidIn(&*source, 0x0020000d), "");
  EXPECT_EQ(UidIn(nullptr, 0x00080018), "");
  EXPECT_EQ(TextIn(&*source, 0x00180015), "CHEST");
  EXPECT_EQ(TextIn(nullptr, 0x00180015), "");
}

}  // namespace
}  // namespace hilum
