// SPDX-License-Identifier: Apache-2.0
#include "sim/prepare_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/config/study.h"

namespace hilum {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PrepareRunTest : public testing::Test {
 protected:
  PrepareRunTest()
      : folder_(absl::StrCat(testing::TempDir(), "/prepare-", getpid())) {
    std::filesystem::create_directories(folder_);
    options_.study_path = HILUM_SOURCE_DIR "/sim/scenarios/demo.yaml";
    options_.phantoms = 9;
    options_.out = absl::StrCat(folder_, "/out");
  }
  ~PrepareRunTest() override { std::filesystem::remove_all(folder_); }

  const std::string folder_;
  RunOptions options_;
};

TEST_F(PrepareRunTest, EachSiteGetsItsManifestAndAPrivatePatientKey) {
  const auto plan = PrepareRun(options_);
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_EQ(plan->sites.size(), 3u);
  for (const SimulatedSite& site : plan->sites) {
    EXPECT_TRUE(FileExists(site.config.manifest()));
    const auto permissions =
        std::filesystem::status(site.config.patient_key_file()).permissions();
    EXPECT_EQ(permissions, std::filesystem::perms::owner_read |
                               std::filesystem::perms::owner_write);
  }
  EXPECT_NE(*ReadFile(plan->sites[0].config.patient_key_file()),
            *ReadFile(plan->sites[1].config.patient_key_file()));
}

TEST_F(PrepareRunTest, TheWrittenStudyIsTheVeryStudy) {
  options_.seed = 99;
  options_.arm = "whole";
  const auto plan = PrepareRun(options_);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->study.seed(), 99u);
  EXPECT_THAT(plan->study.arms(), ElementsAre(v1::ARM_WHOLE));
  auto read = LoadStudyFile(absl::StrCat(plan->out, "/study.yaml"));
  ASSERT_TRUE(read.ok()) << read.status();
  FillStudyDefaults(*read);
  EXPECT_EQ(SerializeStudy(*read), SerializeStudy(plan->study));
}

TEST_F(PrepareRunTest, AFolderInUseIsLeftAloneUnlessForced) {
  std::filesystem::create_directories(absl::StrCat(options_.out, "/model"));
  const std::string other = absl::StrCat(options_.out, "/notes.txt");
  ASSERT_TRUE(WriteFileAtomically(other, "mine").ok());
  EXPECT_EQ(PrepareRun(options_).status().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(FileExists(absl::StrCat(options_.out, "/model")));
  options_.force = true;
  EXPECT_TRUE(PrepareRun(options_).ok());
  EXPECT_FALSE(FileExists(absl::StrCat(options_.out, "/model")));
  EXPECT_TRUE(FileExists(other));
}

TEST_F(PrepareRunTest, StartOrderMustNameEachSiteOnce) {
  options_.start_order = {"site-c", "site-a", "site-b"};
  const auto plan = PrepareRun(options_);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->sites[0].id.name(), "site-c");
  EXPECT_THAT(plan->study.sites(), ElementsAre("site-a", "site-b", "site-c"));
  options_.force = true;
  options_.start_order = {"site-c", "site-a"};
  EXPECT_THAT(std::string(PrepareRun(options_).status().message()),
              HasSubstr("site-a,site-b,site-c"));
}

TEST_F(PrepareRunTest, BaselinesOfASegmentationAreRefusedBeforeAnythingIsMade) {
  options_.study_path = absl::StrCat(folder_, "/lungs.yaml");
  ASSERT_TRUE(WriteFileAtomically(options_.study_path,
                                  "name: lungs\ntask: segmentation\n"
                                  "classes: [covid19, normal, bacterial, "
                                  "viral]\nsites: [site-a, site-b, site-c]\n")
                  .ok());
  options_.baselines = true;
  const absl::Status status = PrepareRun(options_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("without --baselines"));
  EXPECT_FALSE(std::filesystem::exists(options_.out));
  options_.baselines = false;
  const auto plan = PrepareRun(options_);
  ASSERT_TRUE(plan.ok()) << plan.status();
  auto read = LoadStudyFile(absl::StrCat(plan->out, "/study.yaml"));
  ASSERT_TRUE(read.ok()) << read.status();
  FillStudyDefaults(*read);
  EXPECT_EQ(SerializeStudy(*read), SerializeStudy(plan->study));
}

TEST_F(PrepareRunTest, ScenariosAreValidStudies) {
  for (const char* name : {"demo.yaml", "pcxr.yaml"}) {
    options_.study_path =
        absl::StrCat(HILUM_SOURCE_DIR "/sim/scenarios/", name);
    options_.force = true;
    EXPECT_TRUE(PrepareRun(options_).ok()) << PrepareRun(options_).status();
  }
}

}  // namespace
}  // namespace hilum
