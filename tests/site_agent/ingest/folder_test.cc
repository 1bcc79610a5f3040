// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/folder.h"

#include <sys/stat.h>

#include <bit>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "gtest/gtest.h"
#include "site_agent/imaging/case_store/case_store_reader.h"
#include "site_agent/imaging/pictures/write_png.h"
#include "site_agent/ingest/intake.h"
#include "tests/site_agent/ingest/folder_fixture.h"

namespace hilum {
namespace {

TEST_F(FolderTest, ALabelledFilmIsACaseThatTheReaderReads) {
  Put("in/a/1.dcm", Film(3, "P1").File());
  options_.labels = Put("labels.csv", "PatientID,label\nP1,covid\n");
  ASSERT_TRUE(Ingest().ok());
  ASSERT_EQ(Cases().size(), 1u) << said_.str() << Stored("quarantine.csv");
  EXPECT_EQ(Cases()[0][1], "covid");
  EXPECT_EQ(Cases()[0][4], "AP");
  auto entry = ParseCaseEntry(ResolvePath(options_.store, Cases()[0][0]));
  ASSERT_TRUE(entry.has_value());
  auto reader = CaseStoreReader::Open(entry->store);
  ASSERT_TRUE(reader.ok()) << reader.status();
  auto record = reader->Read(entry->case_id);
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->whole.rows, 40);
  EXPECT_EQ(record->whole.columns, 30);
  EXPECT_EQ(record->segmented.rows, 0);
}

TEST_F(FolderTest, LabelsThatComeLaterDecodeNothingAgain) {
  const std::string film = Put("in/1.dcm", Film(3, "P1").File());
  ASSERT_TRUE(Ingest().ok());
  EXPECT_TRUE(Cases().empty());
  const std::string shard = Stored("shards/0001.shard");
  options_.labels =
      Put("labels.csv", "PatientID,AccessionNumber,label\nP1,ACC3,normal\n");
  ASSERT_TRUE(Ingest().ok());
  EXPECT_TRUE(absl::StrContains(said_.str(), "1 are known already; 0 taken"))
      << said_.str();
  ASSERT_EQ(Cases().size(), 1u);
  EXPECT_EQ(Cases()[0][1], "normal");
  EXPECT_EQ(Stored("shards/0001.shard"), shard);
}

TEST_F(FolderTest, AFileMayBeWrittenInAnyWayThatLeadsToIt) {
  for (const char* name : {"1.dcm", "2.dcm", "deep/3.dcm"}) {
    Put(absl::StrCat("in/", name),
        Film(name[0] == 'd' ? 7 : name[0], "P1").File());
  }
  fs::create_directory_symlink(absl::StrCat(root_, "/in"),
                               absl::StrCat(root_, "/link"));
  options_.labels = Put(
      "labels.csv", absl::StrCat("file,label\n", root_, "//in/1.dcm,a\n", root_,
                                 "/link/2.dcm,b\n./deep/../deep/3.dcm,c\n"));
  ASSERT_TRUE(Ingest().ok());
  EXPECT_EQ(Cases().size(), 3u) << said_.str() << Stored("quarantine.csv");
}

TEST_F(FolderTest, ARowHoldsOnlyWhereAllItsCellsDo) {
  Put("in/1.dcm", Film(3, "P1").File());
  Put("in/2.dcm", Film(5, "P1").File());
  options_.labels = Put("labels.csv",
                        "PatientID,StudyInstanceUID,label\n"
                        "P1,1.2.9.3,normal\nP1,1.2.9.5,covid\n");
  ASSERT_TRUE(Ingest().ok());
  ASSERT_EQ(Cases().size(), 2u);
  EXPECT_EQ(Cases()[0][1], "normal");
  EXPECT_EQ(Cases()[1][1], "covid");
  EXPECT_EQ(Cases()[0][2], Cases()[1][2]);  // one patient
}

TEST_F(FolderTest, TwoLabelsForOnePatientAreListedAndNotGuessed) {
  Put("in/1.dcm", Film(3, "P1").File());
  options_.labels = Put("labels.csv", "PatientID,label\nP1,normal\nP1,covid\n");
  ASSERT_TRUE(Ingest().ok());
  EXPECT_TRUE(Cases().empty());
  EXPECT_EQ(Reasons()["1.dcm"],
            "rows 2 and 3 of the labels file give it two labels");
  EXPECT_TRUE(absl::StrContains(said_.str(), "labels.csv:3: another label"));
}

TEST_F(FolderTest, TheSameImageTwiceIsOneCase) {
  options_.labels = Put("labels.csv", "PatientID,label\nP1,normal\n");
  Put("in/1.dcm", Film(3, "P1").File());
  Put("in/2.dcm", Film(3, "P1").Text(0x00080018, "UI", "1.2.77").File());
  // Other pixels under the first file's UID, like a lossy copy.
  Put("in/3.dcm", Film(5, "P1").Text(0x00080018, "UI", "1.2.3.3").File());
  ASSERT_TRUE(Ingest().ok());
  EXPECT_EQ(Cases().size(), 1u);
  auto reader = CaseStoreReader::Open(options_.store);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(reader->CaseIds().size(), 1u);
}

TEST_F(FolderTest, AnImageOfTwoPatientsIsNobodys) {
  options_.labels =
      Put("labels.csv", "PatientID,label\nP1,normal\nP2,normal\n");
  Put("in/1.dcm", Film(3, "P1").File());
  Put("in/2.dcm", Film(3, "P2").File());
  ASSERT_TRUE(Ingest().ok());
  EXPECT_TRUE(Cases().empty());
  EXPECT_EQ(Reasons()["1.dcm"],
            "the same image is there under several patients");
}

TEST_F(FolderTest, TheIssuerKeepsPatientsOfOneNumberApart) {
  options_.labels = Put("labels.csv", "PatientID,label\n7,normal\n");
  Put("in/1.dcm", Film(3, "7").Text(0x00100021, "LO", "A").File());
  Put("in/2.dcm", Film(5, "7").Text(0x00100021, "LO", "B").File());
  Put("in/3.dcm", Film(7, "7").Text(0x00100021, "LO", "B").File());
  ASSERT_TRUE(Ingest().ok());
  ASSERT_EQ(Cases().size(), 3u);
  EXPECT_NE(Cases()[0][2], Cases()[1][2]);
  EXPECT_EQ(Cases()[1][2], Cases()[2][2]);
}

TEST_F(FolderTest, EveryBadFileIsOneLineWithItsReason) {
  const std::string good = Film(3, "P1").File();
  Put("in/cut.dcm", good.substr(0, good.size() - 7));
  Put("in/empty.dcm", "");
  Put("in/notes.txt", "no image");
  Put("in/bomb.dcm", Film(5, "P1")
                         .Words(0x00280010, "US", {65535})
                         .Words(0x00280011, "US", {65535})
                         .File());
  Put("in/lies.dcm", Film(7, "P1").Words(0x00280010, "US", {41}).File());
  Put("in/garbage.dcm", Film(9, "P1")
                            .Fragments({"", "no codestream"})
                            .File("1.2.840.10008.1.2.4.90"));
  Put("in/nopixels.dcm", Film(11, "P1").Remove(kPixelDataTag).File());
  Put("in/knee.dcm", Film(13, "P1").Text(0x00180015, "CS", "KNEE").File());
  fs::create_directories(absl::StrCat(root_, "/in/none"));
  fs::create_directory_symlink("..", absl::StrCat(root_, "/in/none2"));
  fs::create_symlink("nowhere", absl::StrCat(root_, "/in/dangling"));
  fs::create_symlink("self", absl::StrCat(root_, "/in/self"));
  fs::create_directory_symlink(absl::StrCat(root_, "/in"),
                               absl::StrCat(root_, "/in/loop"));
  ASSERT_EQ(mkfifo(absl::StrCat(root_, "/in/pipe").c_str(), 0600), 0);
  ASSERT_TRUE(Ingest().ok());
  const auto reasons = Reasons();
  for (const char* name :
       {"cut.dcm", "empty.dcm", "notes.txt", "bomb.dcm", "lies.dcm",
        "garbage.dcm", "nopixels.dcm", "knee.dcm", "none", "dangling", "self",
        "loop", "pipe"}) {
    auto found = reasons.find(name);
    ASSERT_NE(found, reasons.end()) << name;
    EXPECT_FALSE(found->second.empty()) << name;
  }
  EXPECT_TRUE(absl::StrContains(reasons.at("loop"), "loop"))
      << reasons.at("loop");
  EXPECT_TRUE(absl::StrContains(reasons.at("bomb.dcm"), "over"));
  EXPECT_EQ(reasons.at("knee.dcm"), "the body part is not the chest");
}

TEST_F(FolderTest, WhatCouldNotBeReadIsTriedAgain) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
  const std::string film = Put("in/1.dcm", Film(3, "P1").File());
  ASSERT_EQ(chmod(film.c_str(), 0), 0);
  ASSERT_TRUE(Ingest().ok());
  EXPECT_TRUE(absl::StrContains(Reasons()["1.dcm"], "Permission denied"));
  ASSERT_EQ(chmod(film.c_str(), 0600), 0);
  ASSERT_TRUE(Ingest().ok());
  EXPECT_EQ(Reasons()["1.dcm"], "");
}

TEST_F(FolderTest, ARefusedFileThatIsGoneIsListedNoMore) {
  Put("in/1.dcm", Film(3, "P1").File());
  const std::string bad = Put("in/bad.dcm", "no image");
  fs::create_directories(absl::StrCat(root_, "/in/empty"));
  ASSERT_TRUE(Ingest().ok());
  EXPECT_EQ(Reasons().size(), 2u);
  fs::remove(bad);
  fs::remove(absl::StrCat(root_, "/in/empty"));
  ASSERT_TRUE(Ingest().ok());
  EXPECT_TRUE(Reasons().empty());
}

TEST_F(FolderTest, AnotherFilmUnderTheSameNameIsAnotherCase) {
  Put("in/1.dcm", Film(3, "P1").File());
  options_.labels = Put("labels.csv", "PatientID,label\nP1,normal\n");
  ASSERT_TRUE(Ingest().ok());
  const std::string before = Only();
  Put("in/1.dcm", Film(5, "P1").Text(0x00080018, "UI", "1.2.3.3").File());
  ASSERT_TRUE(Ingest().ok());
  ASSERT_EQ(Cases().size(), 1u);
  EXPECT_NE(Only(), before);
  EXPECT_TRUE(
      absl::StrContains(Stored("quarantine.csv"), "no file shows it any more"));
}

TEST_F(FolderTest, AMaskThatComesLaterIsTaken) {
  Put("in/1.dcm", Film(3, "P1").File());
  options_.labels = Put("labels.csv", "PatientID,label\nP1,normal\n");
  options_.masks = absl::StrCat(root_, "/masks");
  ASSERT_TRUE(Ingest().ok());
  EXPECT_EQ(Cases().at(0).at(3), "");
  std::vector<uint8_t> mask(40 * 30);
  for (int row = 10; row < 30; ++row) {
    for (int column = 10; column < 20; ++column) mask[row * 30 + column] = 255;
  }
  Put("masks/1.png", EncodePng8(40, 30, mask).value());
  ASSERT_TRUE(Ingest().ok());
  EXPECT_EQ(Cases().at(0).at(3), Cases()[0][0]);
  auto reader = CaseStoreReader::Open(options_.store);
  ASSERT_TRUE(reader.ok());
  auto record = reader->Read(Only());
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->segmented.rows, 20);
  EXPECT_EQ(record->segmented.columns, 10);
  int lungs = 0;
  for (char c : record->lungs) lungs += std::popcount(static_cast<uint8_t>(c));
  EXPECT_EQ(lungs, 200);
}

TEST_F(FolderTest, AFolderWithoutFilesIsAnError) {
  const absl::Status status = Ingest();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  options_.folder = absl::StrCat(root_, "/nowhere");
  EXPECT_TRUE(absl::IsNotFound(Ingest()));
}

TEST_F(FolderTest, NothingOfPatientsIsInTheStore) {
  Put("in/1.dcm",
      Film(3, "MRN-4711").Text(0x00100010, "PN", "Roe^Jane").File());
  options_.labels = Put("labels.csv", "PatientID,label\nMRN-4711,normal\n");
  ASSERT_TRUE(Ingest().ok());
  ASSERT_EQ(Cases().size(), 1u);
  for (const auto& entry : fs::recursive_directory_iterator(options_.store)) {
    if (!entry.is_regular_file()) continue;
    const std::string bytes = *ReadFile(entry.path());
    for (const char* secret : {"Roe", "4711", "ACC3", "1.2.9.3", "1.2.3.3"}) {
      EXPECT_FALSE(absl::StrContains(bytes, secret)) << entry.path() << secret;
    }
  }
  struct stat info;
  ASSERT_EQ(stat(absl::StrCat(options_.store, "/patient.key").c_str(), &info),
            0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(FolderTest, AnotherKeyIsRefused) {
  Put("in/1.dcm", Film(3, "P1").File());
  ASSERT_TRUE(Ingest().ok());
  options_.key_file = Put("other.key", std::string(64, 'a'));
  ASSERT_EQ(chmod(options_.key_file.c_str(), 0600), 0);
  EXPECT_TRUE(absl::IsFailedPrecondition(Ingest()));
  ASSERT_EQ(chmod(options_.key_file.c_str(), 0644), 0);
  EXPECT_TRUE(absl::IsPermissionDenied(Ingest()));
}

TEST_F(FolderTest, AStoreMayLieAnywhere) {
  Put("in/1.dcm", Film(1, "P1").File());
  options_.labels = Put("labels.csv", "PatientID;label\nP1 ;normal\n");
  options_.store = absl::StrCat(root_, "/s#1?x%20 y");
  ASSERT_TRUE(Ingest().ok());
  EXPECT_TRUE(fs::exists(options_.store + "/cases.csv"));
  EXPECT_TRUE(absl::StrContains(Stored("cases.csv"), ",normal,"));
}

// Differences in blanks give one patient; other doubtful ids are noted.
TEST_F(FolderTest, BlanksAroundAPatientIdMakeNoOtherPatient) {
  Put("in/1.dcm", Film(1, "P1\xc2\xa0").File());
  Put("in/2.dcm", Film(2, "P1").File());
  options_.labels =
      Put("labels.csv", "PatientID,label\nP1,normal\np01,normal\n");
  ASSERT_TRUE(Ingest().ok());
  auto records = ParseCsv(Stored("cases.csv"));
  ASSERT_TRUE(records.ok());
  ASSERT_EQ(records->size(), 3u);
  EXPECT_EQ((*records)[1][2], (*records)[2][2]);
  EXPECT_TRUE(
      absl::StrContains(said_.str(), "labels.csv:3: its patient is like"));
}

}  // namespace
}  // namespace hilum
