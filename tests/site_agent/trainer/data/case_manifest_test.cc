// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/case_manifest.h"

#include "common/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hilum {
namespace {

using ::testing::HasSubstr;

const std::vector<std::string> kClasses = {"covid19", "normal"};

absl::StatusOr<CaseManifest> Read(const std::string& text,
                                  const ManifestOptions& options = {}) {
  std::string path = ::testing::TempDir() + "/case_manifest_test.csv";
  EXPECT_TRUE(WriteFileAtomically(path, text, Durability::kNone).ok());
  return ReadCaseManifest(path, kClasses, options);
}

TEST(CaseManifestTest, ColumnsAreFoundByNameAndPathsBelowTheManifest) {
  auto manifest = Read(
      "label,extra,patient_id,mask,file\n"
      "normal,7,p1,m/1.png,i/1.png\ncovid19,7,p2,,/abs.png\n");
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  ASSERT_EQ(manifest->cases.size(), 2u);
  EXPECT_EQ(manifest->cases[0].label, 1);
  EXPECT_THAT(manifest->cases[0].path, ::testing::EndsWith("/i/1.png"));
  EXPECT_THAT(manifest->cases[0].mask, ::testing::EndsWith("/m/1.png"));
  EXPECT_EQ(manifest->cases[1].path, "/abs.png");
  EXPECT_EQ(manifest->cases[1].mask, "");
}

TEST(CaseManifestTest, BadRowsAreRejectedWithRowAndReason) {
  auto manifest = Read(
      "file,label,patient_id\na.png,normal,p\nb.png,flu,p\n"
      "c.png,normal,\n,normal,p\nd.png,normal\n");
  ASSERT_TRUE(manifest.ok());
  EXPECT_EQ(manifest->cases.size(), 1u);
  EXPECT_EQ(manifest->rows, 5);
  ASSERT_EQ(manifest->rejected.size(), 4u);
  EXPECT_EQ(manifest->rejected[0].row, 3);
  EXPECT_THAT(manifest->rejected[0].reason, HasSubstr("unknown label"));
  EXPECT_THAT(manifest->rejected[1].reason, HasSubstr("no patient_id"));
  EXPECT_THAT(manifest->rejected[2].reason, HasSubstr("no file"));
  EXPECT_THAT(manifest->rejected[3].reason, HasSubstr("2 fields"));
  EXPECT_TRUE(CheckBadShare(*manifest, 0.8).ok());
  EXPECT_THAT(std::string(CheckBadShare(*manifest, 0.79).message()),
              HasSubstr("row 3"));
}

TEST(CaseManifestTest, OtherSitesRowsDoNotCount) {
  auto manifest = Read("file,label,patient_id,site\na,normal,p,x\nb,flu,p,y\n",
                       {.site_column = "site", .site = "x"});
  ASSERT_TRUE(manifest.ok());
  EXPECT_EQ(manifest->rows, 1);
  EXPECT_TRUE(manifest->rejected.empty());
}

TEST(CaseManifestTest, AMissingColumnIsNamed) {
  EXPECT_THAT(std::string(Read("file,label\n").status().message()),
              HasSubstr("patient_id"));
  EXPECT_THAT(
      std::string(Read("file,file,label,patient_id\n").status().message()),
      HasSubstr("twice"));
}

// A manifest of two rows as spreadsheets and people write it.
TEST(CaseManifestTest, HowItIsWrittenDoesNotMatter) {
  for (const char* text :
       {"file;label;patient_id\r\na.png;normal;P1\r\nb.png;covid19;P2\r\n",
        "\xef\xbb\xbfsep=\t\nFile\tLabel\tPatient ID\na.png\tnormal\tP1\n"
        "b.png\tcovid19\tP2\n",
        "file, label, patient_id\na.png, normal, P1\nb.png, covid19 , P2\n",
        "file,label,patient_id,,\na.png,normal,P1,,\nb.png,covid19,P2,,\n,,,,\n"
        ",,,,\n"}) {
    auto manifest = Read(text);
    ASSERT_TRUE(manifest.ok()) << manifest.status() << text;
    EXPECT_EQ(manifest->rows, 2) << text;
    ASSERT_EQ(manifest->cases.size(), 2u) << text;
    EXPECT_EQ(manifest->cases[0].label, 1) << text;
    EXPECT_EQ(manifest->cases[1].patient_id, "P2") << text;
    EXPECT_EQ(manifest->cases[1].file, "b.png") << text;
  }
}

TEST(CaseManifestTest, AnErrorOfTheHeaderSaysHowItWasReadAndQuotesNothing) {
  const std::string said(Read("Jane;Doe\nx;y\n").status().message());
  EXPECT_THAT(said, HasSubstr("2 fields separated by semicolons"));
  EXPECT_THAT(said, ::testing::Not(HasSubstr("Jane")));
}

TEST(CaseManifestTest, PathsOfWindowsAreReadOrNamed) {
  auto manifest = Read(
      "file,label,patient_id,mask\nimages\\a.png,normal,p,masks\\a.png\n"
      "C:\\data\\b.png,normal,q,\n\\\\pacs\\c.png,normal,r,\n");
  ASSERT_TRUE(manifest.ok());
  ASSERT_EQ(manifest->cases.size(), 1u);
  EXPECT_THAT(manifest->cases[0].path, ::testing::EndsWith("/images/a.png"));
  EXPECT_THAT(manifest->cases[0].mask, ::testing::EndsWith("/masks/a.png"));
  EXPECT_EQ(manifest->cases[0].file, "images\\a.png");
  ASSERT_EQ(manifest->rejected.size(), 2u);
  EXPECT_THAT(manifest->rejected[0].reason, HasSubstr("path of Windows"));
}

TEST(CaseManifestTest, ALabelInOtherCapitalsIsNamed) {
  auto manifest = Read("file,label,patient_id\na,Normal,p\n");
  ASSERT_TRUE(manifest.ok());
  EXPECT_THAT(manifest->rejected[0].reason,
              HasSubstr("study's 'normal' but for capital letters"));
}

TEST(CaseManifestTest, APatientIsOneHoweverManyBlanksAreAroundTheId) {
  auto manifest = Read(
      "file,label,patient_id\na,normal,P001\nb,normal,P001 \n"
      "c,normal,\"\tP001\"\nd,normal,P001\xc2\xa0\ne,normal,\xc2\xa0\n");
  ASSERT_TRUE(manifest.ok());
  ASSERT_EQ(manifest->cases.size(), 4u);
  for (const CaseRow& row : manifest->cases) EXPECT_EQ(row.patient_id, "P001");
  EXPECT_THAT(manifest->rejected[0].reason, HasSubstr("no patient_id"));
  EXPECT_TRUE(FindSimilarPatients(*manifest).empty());
}

TEST(CaseManifestTest, IdsThatLookAlikeAreFoundAndKeptApart) {
  auto manifest = Read(
      "file,label,patient_id\na,normal,101\nb,normal,000101\n"
      "c,normal,101.0\nd,normal,P1\ne,normal,p1\nf,normal,p1\n");
  ASSERT_TRUE(manifest.ok());
  const auto similar = FindSimilarPatients(*manifest);
  ASSERT_EQ(similar.size(), 3u);
  EXPECT_EQ(similar[0].first->row, 2);
  EXPECT_EQ(similar[0].second->row, 3);
  EXPECT_EQ(similar[1].second->row, 4);
  EXPECT_EQ(similar[2].first->row, 5);
  EXPECT_EQ(similar[2].second->row, 6);
  EXPECT_NE(manifest->cases[0].patient_id, manifest->cases[1].patient_id);
}

TEST(CaseManifestTest, SameImageUnderTwoPatientsRejectsBoth) {
  auto manifest = Read(
      "file,label,patient_id\na,normal,p\nb,normal,q\n"
      "c,normal,r\nd,normal,r\n");
  ASSERT_TRUE(manifest.ok());
  std::vector<std::string> digests = {"1", "1", "2", "2"};
  RejectCases(*manifest, FindDuplicates(*manifest, digests));
  ASSERT_EQ(manifest->cases.size(), 1u);
  EXPECT_EQ(manifest->cases[0].file, "c");
  ASSERT_EQ(manifest->rejected.size(), 3u);
  EXPECT_THAT(manifest->rejected[0].reason, HasSubstr("row 3, which"));
  EXPECT_THAT(manifest->rejected[1].reason, HasSubstr("row 2, which"));
  EXPECT_EQ(manifest->rejected[2].reason, "same image as row 4");
}

}  // namespace
}  // namespace hilum
