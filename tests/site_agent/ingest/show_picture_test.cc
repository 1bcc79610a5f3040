// SPDX-License-Identifier: Apache-2.0
// A site's own words on the way into a store, and pictures of what waits there.
#include "site_agent/ingest/show_picture.h"

#include <cstdlib>

#include "gmock/gmock.h"
#include "site_agent/imaging/decode/decode.h"
#include "tests/site_agent/ingest/folder_fixture.h"

namespace hilum {
namespace {

using testing::HasSubstr;

using FilmListTest = FolderTest;

DicomMaker InBed() {
  return Film(1, "A")
      .Remove(0x00185101)
      .Text(0x0008103e, "LO", "Intensivaufnahme");
}

TEST_F(FilmListTest, WhatWasNotChosenIsJudgedAgainByNewWords) {
  Put("in/a.dcm", InBed().File());
  ASSERT_TRUE(Ingest().ok());
  EXPECT_THAT(Reasons()["a.dcm"], HasSubstr("AP or PA"));
  ASSERT_TRUE(Ingest().ok());
  EXPECT_THAT(said_.str(), HasSubstr("1 are known already"));
  options_.words = Put("words.txt", "# ours\nap: Intensivaufnahme\n");
  ASSERT_TRUE(Ingest().ok());
  EXPECT_TRUE(Reasons().empty() ||
              Reasons()["a.dcm"].find("AP or PA") == std::string::npos);
  EXPECT_THAT(said_.str(), HasSubstr("1 taken"));
  // The store keeps them.
  options_.words.clear();
  Put("in/b.dcm", Film(3, "B")
                      .Remove(0x00185101)
                      .Text(0x0008103e, "LO", "Intensivaufnahme")
                      .File());
  ASSERT_TRUE(Ingest().ok());
  EXPECT_THAT(said_.str(), HasSubstr("1 taken"));
}

TEST_F(FilmListTest, AWrongLineOfWordsStopsTheRunAndIsNamed) {
  Put("in/a.dcm", InBed().File());
  options_.words = Put("words.txt", "chest: thorax\nviews: ap\n");
  const absl::Status status = Ingest();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("words.txt: line 2"));
}

TEST_F(FilmListTest, PicturesOfCasesAndOfRefusedFiles) {
  Put("in/case.dcm", Film(2, "A").File());
  const std::string refused = Put("in/bed.dcm", InBed().File());
  ASSERT_TRUE(Ingest().ok());
  const std::string picture = absl::StrCat(root_, "/picture.png");
  ASSERT_TRUE(WriteFilePicture(refused, picture).ok());
  auto image = DecodeImage(ReadFile(picture).value());
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(image->rows, 40);
  EXPECT_EQ(image->columns, 30);
  EXPECT_TRUE(CheckShowsSomething(*image).ok());
  EXPECT_EQ(fs::status(picture).permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(WriteFilePicture(refused, absl::StrCat(root_, "/p.jpg")).code(),
            absl::StatusCode::kInvalidArgument);
}

// By the command itself, which is confined while it decodes.
TEST_F(FilmListTest, TheCommandShowsWhatIsInQuarantine) {
  Put("in/bed.dcm", InBed().File());
  ASSERT_TRUE(Ingest().ok());
  auto records = ParseCsv(Stored("quarantine.csv"));
  ASSERT_TRUE(records.ok());
  const std::string id = records->at(1).at(0);
  const std::string picture = absl::StrCat(root_, "/shown.png");
  const std::string command =
      absl::StrCat(HILUM_BIN_DIR, "/hilum-ingest show --store ", options_.store,
                   " ", id, " --picture ", picture, " >/dev/null");
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_TRUE(DecodeImage(ReadFile(picture).value_or("")).ok());
}

}  // namespace
}  // namespace hilum
