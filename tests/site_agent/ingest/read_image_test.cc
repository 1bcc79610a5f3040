// SPDX-License-Identifier: Apache-2.0
// Images that are refused, noted or found twice in a folder.
#include "site_agent/ingest/read_image.h"

#include "gmock/gmock.h"
#include "site_agent/imaging/pictures/write_png.h"
#include "site_agent/ingest/case_database.h"
#include "tests/site_agent/ingest/folder_fixture.h"

namespace hilum {
namespace {

using testing::HasSubstr;

using ReadImageTest = FolderTest;

const char kCases[] = HILUM_SOURCE_DIR "/../shared/cases/";

std::string FlatPng(uint8_t value) {
  return *EncodePng8(40, 30, std::vector<uint8_t>(40 * 30, value));
}

TEST_F(ReadImageTest, AnImageOfOneValueIsRefused) {
  Put("in/black.png", FlatPng(0));
  Put("in/gray.png", FlatPng(7));
  Put("in/flat.dcm",
      Film(1, "A")
          .Words(kPixelDataTag, "OW", std::vector<int>(40 * 30, 900))
          .File());
  ASSERT_TRUE(Ingest().ok());
  const auto reasons = Reasons();
  ASSERT_EQ(reasons.size(), 3u);
  for (const auto& [file, reason] : reasons) {
    EXPECT_THAT(reason, HasSubstr("shows nothing")) << file;
  }
}

TEST_F(ReadImageTest, WordsAboveTheStoredBitsAreRefused) {
  std::vector<int> words;
  for (int i = 0; i < 40 * 30; ++i) words.push_back(i * 13);
  Put("in/wide.dcm", Film(1, "A").Words(kPixelDataTag, "OW", words).File());
  ASSERT_TRUE(Ingest().ok());
  EXPECT_THAT(Reasons()["wide.dcm"], HasSubstr("Bits Stored 12"));
}

TEST_F(ReadImageTest, WhatIsNotUsedOfAFileIsInItsCasesHistory) {
  const ReadImage read = ReadImageFile(
      Put("in/a.dcm", Film(1, "A").Text(0x00281050, "DS", "2").File()), {});
  EXPECT_EQ(read.refusal, Refusal::kNone) << read.reason;
  ASSERT_EQ(read.notes.size(), 2u);
  EXPECT_THAT(read.notes[0], HasSubstr("window 1 is not used"));
  options_.labels = Put("labels.csv", "PatientID,label\nA,x\n");
  ASSERT_TRUE(Ingest().ok());
  auto database = CaseDatabase::Open(absl::StrCat(options_.store, "/store.db"));
  ASSERT_TRUE(database.ok());
  const auto history = (*database)->HistoryOf(Only());
  ASSERT_TRUE(history.ok());
  EXPECT_THAT(history->front().reason, HasSubstr("window 1 is not used"));
}

// Another file of the same picture, under another patient.
TEST_F(ReadImageTest, TheSamePixelsUnderTwoPatientsAreQuarantined) {
  if (!fs::exists(kCases)) GTEST_SKIP() << "no shared cases";
  const std::string folder = absl::StrCat(kCases, "duplicates/");
  Put("in/c00.png", ReadFile(folder + "c00.png").value());
  Put("in/dup00.png", ReadFile(folder + "dup00.png").value());
  options_.labels = Put("labels.csv",
                        "file,label,patient_id\nc00.png,normal,P000\n"
                        "dup00.png,normal,Q000\n");
  ASSERT_TRUE(Ingest().ok());
  EXPECT_TRUE(Cases().empty());
  EXPECT_THAT(Stored("quarantine.csv"), HasSubstr("several patients"));
}

TEST_F(ReadImageTest, APhotographedFilmIsTurnedByItsExif) {
  if (!fs::exists(kCases)) GTEST_SKIP() << "no shared cases";
  const auto read = [](const char* name) {
    return ReadImageFile(absl::StrCat(kCases, "exif/", name), {}).whole.pixels;
  };
  const Plane turned = read("exif6.jpg"), upright = read("upright.png");
  ASSERT_EQ(turned.size(), upright.size());
  double far = 0;
  for (size_t i = 0; i < turned.size(); ++i) {
    far += std::abs(turned[i] - upright[i]) / 65535.0;
  }
  EXPECT_LT(far / static_cast<double>(turned.size()), 0.03);
}

TEST_F(ReadImageTest, AMaskWhoseLevelsLeaveDoubtSaysThem) {
  Put("in/a.dcm", Film(1, "A").File());
  Put("masks/a.png", FlatPng(1));
  options_.masks = absl::StrCat(root_, "/masks");
  ASSERT_TRUE(Ingest().ok());
  EXPECT_THAT(Reasons()["a.dcm"], HasSubstr("the value 1 of 255"));
  std::vector<uint8_t> ones(40 * 30);
  for (size_t i = 400; i < 800; ++i) ones[i] = 1;
  Put("masks/a.png", *EncodePng8(40, 30, ones));
  ASSERT_TRUE(Ingest().ok());
  EXPECT_TRUE(Reasons().empty() ||
              Reasons()["a.dcm"].find("lung mask") == std::string::npos);
}

}  // namespace
}  // namespace hilum
