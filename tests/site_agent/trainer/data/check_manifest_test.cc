// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/check_manifest.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "site_agent/imaging/pictures/write_png.h"
#include "tests/support/shared_cases.h"

namespace hilum {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kSide = 64;
constexpr int kCases = 24;
constexpr int kImages = 40;

// Each seed gives other grays.
std::string Radiograph(int seed) {
  std::vector<uint8_t> pixels;
  for (int i = 0; i < kSide * kSide; ++i) {
    pixels.push_back(static_cast<uint8_t>(i / kSide * 3 + i % (seed + 2)));
  }
  return *EncodePng8(kSide, kSide, pixels);
}

// Two upright ellipses.
std::string Lungs() {
  std::vector<uint8_t> pixels;
  for (int i = 0; i < kSide * kSide; ++i) {
    const double y = (i / kSide - 31) / 22.0;
    const double left = (i % kSide - 19) / 9.0, right = (i % kSide - 44) / 9.0;
    pixels.push_back(y * y + std::min(left * left, right * right) < 1 ? 255
                                                                      : 0);
  }
  return *EncodePng8(kSide, kSide, pixels);
}

class CheckManifestTest : public ::testing::Test {
 protected:
  CheckManifestTest()
      : folder_(absl::StrCat(::testing::TempDir(), "/check-", getpid())) {
    std::filesystem::remove_all(folder_);
    for (const char* name : {"images", "masks", "odd"}) {
      std::filesystem::create_directories(absl::StrCat(folder_, "/", name));
    }
    for (int i = 0; i < kImages; ++i) {
      const std::string name = absl::StrCat("c", i < 10 ? "0" : "", i, ".png");
      Put("images/" + name, Radiograph(i));
      Put("masks/" + name, Lungs());
    }
    // macOS writes the name in this form.
    Put("odd/Mu\xcc\x88ller.png", Radiograph(99));
  }
  ~CheckManifestTest() override { std::filesystem::remove_all(folder_); }

  std::string Put(const std::string& name, const std::string& bytes) {
    const std::string path = absl::StrCat(folder_, "/", name);
    EXPECT_TRUE(WriteFileAtomically(path, bytes, Durability::kNone).ok());
    return path;
  }

  static v1::Study TwoArms() {
    v1::Study study;
    study.set_name("lungs");
    for (const char* label : {"normal", "covid19"}) study.add_classes(label);
    study.add_arms(v1::ARM_WHOLE);
    study.add_arms(v1::ARM_SEGMENTED);
    study.mutable_cross_validation()->set_folds(3);
    study.mutable_data_rules()->set_max_bad_share(0.05);
    return study;
  }

  // Rows of a manifest with the given header.
  static std::string Rows(int count, bool masks) {
    std::string rows = "file,label,patient_id,mask\n";
    for (int i = 0; i < count; ++i) {
      const std::string name = absl::StrCat("c", i < 10 ? "0" : "", i, ".png");
      absl::StrAppend(&rows, "images/", name, ",",
                      i % 2 == 0 ? "normal" : "covid19", ",P", i, ",",
                      masks ? "masks/" + name : "", "\n");
    }
    return rows;
  }

  std::vector<std::string> Check(const std::string& text,
                                 ManifestCheck check = {}) {
    check.manifest = Put("m.csv", text);
    std::vector<std::string> lines;
    for (const CheckLine& line : CheckCaseManifest(check)) {
      lines.push_back(CheckLineText(line));
    }
    return lines;
  }

  static std::string Failures(const std::vector<std::string>& lines) {
    std::string failures;
    for (const std::string& line : lines) {
      if (absl::StartsWith(line, "FAIL"))
        absl::StrAppend(&failures, line, "\n");
    }
    return failures;
  }

  const std::string folder_;
};

TEST_F(CheckManifestTest, AGoodManifestIsSaidToBeSo) {
  const auto lines =
      Check(Rows(kCases, true), {.studies = {TwoArms()}, .images = 8});
  EXPECT_EQ(Failures(lines), "");
  EXPECT_THAT(lines, Contains("ok    case manifest: 24 rows, separated by "
                              "commas, in UTF-8"));
  EXPECT_THAT(lines, Contains("ok    images: 8 of 24 opened, all can be used"));
  EXPECT_THAT(lines, Contains(HasSubstr("24 of 24 rows name one; 8 opened")));
  EXPECT_THAT(lines, Contains("ok    labels: covid19 12, normal 12"));
  EXPECT_THAT(lines, Contains("ok    study lungs: cases by class normal 12, "
                              "covid19 12; patients by fold 8, 8, 8"));
}

TEST_F(CheckManifestTest, WhatAStudyWouldStopForFails) {
  const auto failures = [&](const std::string& text) {
    return Failures(Check(text, {.studies = {TwoArms()}}));
  };
  EXPECT_THAT(failures("images/c00.png,normal,P0\n"),
              HasSubstr("no column 'file'"));
  EXPECT_THAT(failures("file,label,patient_id\n"), HasSubstr("no rows"));
  EXPECT_THAT(failures("PK\x03\x04"), HasSubstr("a workbook"));
  std::string rows = Rows(8, true);
  EXPECT_THAT(failures(rows + "images/absent.png,normal,P9,\n"),
              HasSubstr("files: 1 of 9 cannot be used: row 10: its file is not "
                        "there"));
  Put("images/broken.png", "\x89PNG broken");
  EXPECT_THAT(failures(rows + "images/broken.png,normal,P9,\n"),
              HasSubstr("images opened: 1 of 9 cannot be used: row 10: "));
  EXPECT_THAT(failures(rows + "images/c09.png,normal,P9\n"),
              HasSubstr("row 10: 3 fields where the header has 4"));
  EXPECT_THAT(failures(rows + "images/c09.png,Normal,P9,\n"),
              AllOf(HasSubstr("study lungs would stop here"),
                    HasSubstr("but for capital letters")));
  EXPECT_THAT(failures(Rows(8, false)),
              AllOf(HasSubstr("arm segmented has no case here"),
                    HasSubstr("names a lung mask")));
}

// Long lists of rows are cut, and no file or patient is named.
TEST_F(CheckManifestTest, LinesAreShortAndNameNobody) {
  std::string rows = "file,label,patient_id\n";
  for (int i = 0; i < 40; ++i) {
    absl::StrAppend(&rows, "Jane_Doe_", i, ".png,Jane Doe ", i, ",MRN-", i,
                    "\n");
  }
  const auto lines = Check(rows, {.studies = {TwoArms()}});
  EXPECT_THAT(Failures(lines), HasSubstr("and 35 more"));
  for (const std::string& line : lines) {
    EXPECT_THAT(line, AllOf(Not(HasSubstr("Jane")), Not(HasSubstr("MRN"))));
  }
  EXPECT_THAT(lines, Contains(HasSubstr("labels: 40 different ones")));
}

TEST_F(CheckManifestTest, OnlyTheSitesRowsCount) {
  const std::string rows =
      "file,label,patient_id,site\nimages/c00.png,normal,a,x\n"
      "images/absent.png,normal,b,y\n";
  EXPECT_EQ(Failures(Check(rows, {.site_column = "site", .site = "x"})), "");
  EXPECT_THAT(Failures(Check(rows, {.site_column = "site", .site = "z"})),
              HasSubstr("no row has 'z'"));
}

TEST_F(CheckManifestTest, PatientsWhoMayBeOneAreNoted) {
  EXPECT_THAT(Check("file,label,patient_id\nimages/c00.png,normal,P1\n"
                    "images/c01.png,normal,p1\n"),
              Contains(AllOf(HasSubstr("note  "), HasSubstr("rows 2 and 3"))));
}

// The shared manifests are written by Excel, Windows and people.
TEST_F(CheckManifestTest, SharedManifestsAreReadHoweverTheyAreWritten) {
  const std::string shared = SharedCases("manifests");
  if (shared.empty()) GTEST_SKIP() << "the shared cases are not here";
  for (const char* name :
       {"backslash", "header_case", "header_space", "label_space", "nfc",
        "semicolon", "sep_line", "tab", "trailing_blank_rows", "utf16"}) {
    const std::string text = *ReadFile(absl::StrCat(shared, "/", name, ".csv"));
    const auto lines = Check(text, {.studies = {TwoArms()}, .images = 6});
    EXPECT_EQ(Failures(lines), "") << name;
    EXPECT_THAT(lines, Contains(HasSubstr("all can be used"))) << name;
    EXPECT_THAT(lines, Not(Contains(HasSubstr("rows: ")))) << name;
  }
  for (const char* labels : {"lsemi", "lu16"}) {
    EXPECT_THAT(
        Failures(Check(*ReadFile(absl::StrCat(shared, "/", labels, ".csv")))),
        HasSubstr("no column 'patient_id'"))
        << labels;
  }
}

// Ids that differ only in blanks are one patient's; other similar ids are
// noted.
TEST_F(CheckManifestTest, SharedPatientIdsAreMergedOrNoted) {
  const std::string shared = SharedCases("patient_id");
  if (shared.empty()) GTEST_SKIP() << "the shared cases are not here";
  const auto patients = [&](const std::string& name) {
    const auto lines = Check(*ReadFile(absl::StrCat(shared, "/", name, ".csv")),
                             {.studies = {TwoArms()}, .images = 1});
    for (const std::string& line : lines) {
      const size_t at = line.find("patients by fold");
      if (at == std::string::npos) continue;
      const bool noted =
          std::any_of(lines.begin(), lines.end(), [](const std::string& other) {
            return absl::StrContains(other, "write the id alike");
          });
      return absl::StrCat(line.substr(at), noted ? ", noted" : "");
    }
    return std::string("not read");
  };
  const std::string clean = patients("pid_clean");
  EXPECT_THAT(clean, HasSubstr("patients by fold"));
  EXPECT_EQ(patients("pid_trailing_space"), clean);
  for (const char* name : {"pid_case", "pid_float", "pid_leading_zero"}) {
    EXPECT_THAT(patients(name), HasSubstr(", noted")) << name;
  }
}

}  // namespace
}  // namespace hilum
