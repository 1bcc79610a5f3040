// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/labels.h"

#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/shared_cases.h"

namespace hilum {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int kFile = 1, kPatientId = 2;  // bits of columns

class LabelsTest : public ::testing::Test {
 protected:
  LabelsTest()
      : folder_(absl::StrCat(::testing::TempDir(), "/labels-", getpid())) {
    std::filesystem::create_directories(folder_);
    folder_ = std::filesystem::canonical(folder_);
    pseudonyms_.emplace(
        Pseudonyms::FromKeyFile(folder_ + "/key", RealSecureRng()).value());
  }
  ~LabelsTest() override { std::filesystem::remove_all(folder_); }

  absl::StatusOr<LabelFile> Read(const std::string& text) {
    const std::string path = folder_ + "/labels.csv";
    EXPECT_TRUE(WriteFileAtomically(path, text, Durability::kNone).ok());
    return ReadLabelFile(path, folder_, *pseudonyms_);
  }

  // Returns the key of an image with these ids for a row.
  std::string KeyOf(const std::string& file, const std::string& patient,
                    int columns) {
    return CombinedKey(
        KeysOf(*pseudonyms_, folder_ + "/" + file, {.patient = patient}),
        columns);
  }

  std::string folder_;
  std::optional<Pseudonyms> pseudonyms_;
};

TEST_F(LabelsTest, WhatSpreadsheetsWriteIsTheSameFile) {
  for (const char* text :
       {"PatientID,label\nP1,normal\n", "PatientID;label\r\nP1;normal\r\n",
        "\xef\xbb\xbfsep=\t\r\npatientid\tLabel \r\n P1 \tnormal \r\n\t\r\n",
        "PATIENTID, label,,\nP1, normal,,\n,,,\n"}) {
    auto file = Read(text);
    ASSERT_TRUE(file.ok()) << file.status() << text;
    ASSERT_EQ(file->rows.size(), 1u) << text;
    EXPECT_THAT(file->unused, IsEmpty()) << text;
    EXPECT_EQ(file->rows[0].label, "normal") << text;
    EXPECT_EQ(file->rows[0].key, KeyOf("", "P1", kPatientId)) << text;
  }
}

TEST_F(LabelsTest, AnImageSharesItsPatientHoweverTheIdIsWritten) {
  auto file = Read("PatientID,label\nMu\xcc\x88ller\xc2\xa0,normal\n");
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->rows[0].key, KeyOf("", "M\xc3\xbcller", kPatientId));
}

TEST_F(LabelsTest, PathsOfWindowsAreReadOrNamed) {
  auto file = Read("file,label\nin\\1.dcm,normal\nC:\\in\\2.dcm,normal\n");
  ASSERT_TRUE(file.ok());
  ASSERT_EQ(file->rows.size(), 1u);
  EXPECT_EQ(file->rows[0].key, KeyOf("in/1.dcm", "", kFile));
  EXPECT_THAT(file->unused, ElementsAre(AllOf(HasSubstr("labels.csv:3: "),
                                              HasSubstr("path of Windows"))));
}

TEST_F(LabelsTest, PatientsWhoMayBeOneAreNotedByRow) {
  auto file = Read(
      "file,label,patient_id\na.png,normal,P001\nb.png,normal,p1\n"
      "c.png,normal,P001\n");
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->rows.size(), 3u);
  EXPECT_THAT(file->notes, ElementsAre(AllOf(HasSubstr("labels.csv:3: "),
                                             HasSubstr("like that of row 2"),
                                             Not(HasSubstr("P001")))));
}

TEST_F(LabelsTest, AHeaderThatNamesNothingSaysHowItWasRead) {
  EXPECT_THAT(
      std::string(Read("a;b;c\n1;2;3\n").status().message()),
      HasSubstr("3 fields separated by semicolons; it must name label"));
  EXPECT_THAT(std::string(Read("IssuerOfPatientID,label\n").status().message()),
              HasSubstr("it must name label"));
}

TEST_F(LabelsTest, SharedLabelsOfOtherProgramsAreRead) {
  const std::string shared = SharedCases("manifests");
  if (shared.empty()) GTEST_SKIP() << "the shared cases are not here";
  for (const char* name : {"lsemi.csv", "lu16.csv"}) {
    auto file = ReadLabelFile(shared + "/" + name, folder_, *pseudonyms_);
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_EQ(file->rows.size(), 1u) << name;
    EXPECT_EQ(file->rows[0].label, "normal") << name;
  }
}

}  // namespace
}  // namespace hilum
