// SPDX-License-Identifier: Apache-2.0
// Tests a site's own words, on the way into a store.
#include "site_agent/ingest/site_words.h"

#include "gmock/gmock.h"
#include "tests/site_agent/ingest/folder_fixture.h"

namespace hilum {
namespace {

using testing::HasSubstr;

using SiteWordsTest = FolderTest;

DicomMaker InBed() {
  return Film(1, "A")
      .Remove(0x00185101)
      .Text(0x0008103e, "LO", "Intensivaufnahme");
}

TEST_F(SiteWordsTest, WhatWasNotChosenIsJudgedAgainByNewWords) {
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
  // The store keeps the words.
  options_.words.clear();
  Put("in/b.dcm", Film(3, "B")
                      .Remove(0x00185101)
                      .Text(0x0008103e, "LO", "Intensivaufnahme")
                      .File());
  ASSERT_TRUE(Ingest().ok());
  EXPECT_THAT(said_.str(), HasSubstr("1 taken"));
}

TEST_F(SiteWordsTest, AWrongLineOfWordsStopsTheRunAndIsNamed) {
  Put("in/a.dcm", InBed().File());
  options_.words = Put("words.txt", "chest: thorax\nviews: ap\n");
  const absl::Status status = Ingest();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("words.txt: line 2"));
}

}  // namespace
}  // namespace hilum
