// SPDX-License-Identifier: Apache-2.0
// Tests which objects count as the same, in a folder and over the network.
#include "site_agent/ingest/object_uid.h"

#include <memory>
#include <string>
#include <vector>

#include "site_agent/ingest/incoming_file.h"
#include "site_agent/ingest/receiving_intake.h"
#include "tests/site_agent/ingest/folder_fixture.h"

namespace hilum {
namespace {

TEST(ObjectUidTest, PaddingIsNoPartOfIt) {
  EXPECT_EQ(ObjectUid("1.2.3"), "1.2.3");
  EXPECT_EQ(ObjectUid(std::string("1.2.3\0", 6)), "1.2.3");
  EXPECT_EQ(ObjectUid(" 1.2.3 "), "1.2.3");
  EXPECT_NE(ObjectUid("1.2.03"), ObjectUid("1.2.3"));
}

TEST(ObjectUidTest, WhatDevicesWriteNamesAnObject) {
  for (const char* uid : {"1.2.3.4.5a", "IMG_001", "a/b", "x y"}) {
    EXPECT_EQ(ObjectUid(uid), uid);
    EXPECT_FALSE(IsUid(uid)) << uid;
  }
  for (const std::string& none :
       {std::string(), std::string(" "), std::string("1.2\\1.3"),
        std::string("1.2\n"), std::string("\xc3\xa4"), std::string(65, '1'),
        std::string("1\0.2", 4)}) {
    EXPECT_EQ(ObjectUid(none), "") << none;
  }
}

TEST(ObjectUidTest, AFilesNameLeadsNowhereElseAndBack) {
  EXPECT_EQ(FileNameOfUid("1.2.3"), "1.2.3");
  EXPECT_EQ(FileNameOfUid("a/b_c%"), "a%2Fb%5Fc%25");
  for (const char* uid : {"1.2.3.4.5a", "IMG_001", "a/b", "..", "x y%"}) {
    const std::string name = FileNameOfUid(uid);
    EXPECT_EQ(name.find_first_of("/_ "), std::string::npos) << name;
    EXPECT_EQ(UidOfFileName(name), uid);
  }
  for (const char* none : {"", "a/b", "a%2", "a%xx", "a%00", "IMG_001"}) {
    EXPECT_EQ(UidOfFileName(none), "") << none;
  }
}

struct Sent {
  int seed;  // of its pixels
  std::string uid;
};

// Sends the same objects as files of a folder and over the network.
class SameObjectTest : public FolderTest {
 protected:
  static DicomMaker Object(const Sent& sent) {
    return Film(sent.seed, "P1").Text(0x00080018, "UI", sent.uid);
  }
  size_t CasesOfFolder(const std::vector<Sent>& objects) {
    options_.store = absl::StrCat(root_, "/folder_store");
    for (size_t i = 0; i < objects.size(); ++i) {
      Put(absl::StrCat("in/", i, ".dcm"), Object(objects[i]).File());
    }
    EXPECT_TRUE(Ingest().ok());
    return NumCases();
  }
  size_t CasesReceived(const std::vector<Sent>& objects) {
    options_.store = absl::StrCat(root_, "/received_store");
    const ReceivingOptions receiving{
        .store = options_.store, .labels = options_.labels, .actor = "listen"};
    auto intake =
        ReceivingIntake::Open(receiving, RealClock(), RealSecureRng());
    EXPECT_TRUE(intake.ok()) << intake.status();
    for (const Sent& sent : objects) {
      auto file = IncomingFile::Create(
          IncomingFolder(receiving),
          {"1.2.840.10008.5.1.4.1.1.1", sent.uid, "1.2.840.10008.1.2.1"});
      EXPECT_TRUE(file.ok()) << file.status();
      if (!file.ok()) return 0;
      EXPECT_TRUE(file->Append(Object(sent).DataSet()).ok());
      EXPECT_EQ((*intake)->Take(file->Finish().value()).kind,
                IntakeAnswer::Kind::kCommitted);
      EXPECT_TRUE((*intake)->IsKnown(sent.uid).value());
    }
    EXPECT_TRUE((*intake)->Export().ok());
    return NumCases();
  }
  // Returns the number of cases that are in use.
  size_t NumCases() {
    EXPECT_EQ(Stored("quarantine.csv").find("no file shows it"),
              std::string::npos);
    return Cases().size();
  }
  void ExpectCases(size_t count, const std::vector<Sent>& objects) {
    options_.labels = Put("labels.csv", "PatientID,label\nP1,covid\n");
    EXPECT_EQ(CasesOfFolder(objects), count);
    EXPECT_EQ(CasesReceived(objects), count);
  }
};

TEST_F(SameObjectTest, AUidWithALetterIsTakenEitherWay) {
  ExpectCases(1, {{3, "1.2.3.4.5a"}});
}

TEST_F(SameObjectTest, OtherLettersAreOtherObjects) {
  ExpectCases(2, {{3, "1.2.3.4.5a"}, {5, "1.2.3.4.5b"}});
}

// The store keeps the first one's pixels (docs/ingest.md).
TEST_F(SameObjectTest, TheSameUidWithOtherPixelsIsOneCase) {
  ExpectCases(1, {{3, "1.2.3.4"}, {5, "1.2.3.4"}});
}

TEST_F(SameObjectTest, TheSamePixelsUnderAnotherUidAreOneCase) {
  ExpectCases(1, {{3, "1.2.3.4"}, {3, "1.2.3.5"}});
}

}  // namespace
}  // namespace hilum
