// SPDX-License-Identifier: Apache-2.0
#include "sim/prepare_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/cli/usage.h"
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

// The shipped weights are of 128 pixels and of whole images; the study is of
// 64, with both arms.
TEST_F(PrepareRunTest, WeightsThatDifferAreWarnedOfOrRefused) {
  options_.start.path =
      HILUM_SOURCE_DIR "/site_agent/trainer/weights/hilum_small.safetensors";
  const auto plan = PrepareRun(options_);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(plan->warnings, ElementsAre(HasSubstr("model.input_size: 64"),
                                          HasSubstr("arms: segmented")));
  options_.force = true;
  options_.set = {"classes=[normal, covid19, bacterial, viral]"};
  EXPECT_THAT(std::string(PrepareRun(options_).status().message()),
              HasSubstr("the classes covid19, normal, bacterial, viral"));
  options_.start.options.fresh_head = true;
  EXPECT_TRUE(PrepareRun(options_).ok());
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

TEST_F(PrepareRunTest, TheSameCommandGoesOnWithWhatIsThere) {
  ASSERT_TRUE(PrepareRun(options_).ok());
  const std::string state = absl::StrCat(options_.out, "/coordinator");
  const std::string image = absl::StrCat(options_.out, "/data/manifest.csv");
  std::filesystem::create_directories(state);
  const auto drawn = std::filesystem::last_write_time(image);
  options_.start_order = {"site-c", "site-a", "site-b"};
  const auto again = PrepareRun(options_);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->resumed);
  EXPECT_TRUE(std::filesystem::exists(state));
  EXPECT_EQ(std::filesystem::last_write_time(image), drawn);
  ASSERT_TRUE(MarkRunDone(*again).ok());
  EXPECT_THAT(std::string(PrepareRun(options_).status().message()),
              HasSubstr("holds a finished run; --force to replace it"));
  options_.force = true;
  const auto anew = PrepareRun(options_);
  ASSERT_TRUE(anew.ok()) << anew.status();
  EXPECT_FALSE(anew->resumed);
  EXPECT_FALSE(std::filesystem::exists(state));
}

TEST_F(PrepareRunTest, AnotherRunIsNotGoneOnWith) {
  ASSERT_TRUE(PrepareRun(options_).ok());
  const auto other = [&](auto change, const std::string& why) {
    RunOptions changed = options_;
    change(changed);
    const absl::Status status = PrepareRun(changed).status();
    EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(why));
  };
  other([](RunOptions& o) { o.phantoms = 12; }, "--phantoms 12");
  other([](RunOptions& o) { o.seed = 77; }, "--seed 77");
  other([](RunOptions& o) { o.transport = "grpc"; }, "--transport grpc");
  other([](RunOptions& o) { o.set = {"training.rounds=3"}; },
        "its study is another one");
  other([](RunOptions& o) { o.arm = "whole"; }, "its study is another one");
  EXPECT_TRUE(PrepareRun(options_)->resumed);
}

TEST_F(PrepareRunTest, APreparationThatWasCutOffBeginsAnew) {
  ASSERT_TRUE(PrepareRun(options_).ok());
  ASSERT_TRUE(WriteFileAtomically(absl::StrCat(options_.out, "/run.json"),
                                  "{\"source\": \"\", \"study\": \"\", "
                                  "\"cases\": \"\", \"weights\": \"\"}")
                  .ok());
  std::filesystem::remove(absl::StrCat(options_.out, "/data/manifest.csv"));
  const auto again = PrepareRun(options_);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_FALSE(again->resumed);
}

TEST_F(PrepareRunTest, FieldsOfTheStudyAreSetBeforeItIsValidated) {
  options_.set = {"training.rounds=3", "arms=[whole]", "name=other",
                  "seed=18446744073709551615"};
  const auto plan = PrepareRun(options_);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->study.training().rounds(), 3u);
  EXPECT_THAT(plan->study.arms(), ElementsAre(v1::ARM_WHOLE));
  EXPECT_EQ(plan->study.name(), "other");
  EXPECT_EQ(plan->study.seed(), 18446744073709551615u);
}

TEST_F(PrepareRunTest, AFieldThatCannotBeSetIsNamedAndNothingIsMade) {
  const auto fault = [&](const std::string& assignment) {
    options_.set = {assignment};
    const absl::Status status = PrepareRun(options_).status();
    EXPECT_TRUE(IsUsageError(status)) << assignment << ": " << status;
    EXPECT_FALSE(std::filesystem::exists(options_.out)) << assignment;
    return std::string(status.message());
  };
  EXPECT_EQ(fault("training.ruonds=3"),
            "--set training.ruonds=3: unknown field 'ruonds'; did you mean "
            "'rounds'?");
  EXPECT_THAT(fault("seed=-1"), HasSubstr("must be a whole number, 0 or more"));
  EXPECT_THAT(fault("training.rounds=x"), HasSubstr("'rounds' is 'x'"));
  EXPECT_THAT(fault("training.rounds"), HasSubstr("must be FIELD=VALUE"));
  EXPECT_THAT(fault("arms=whole"), HasSubstr("must be a list"));
  EXPECT_THAT(fault("sites=[a]"), HasSubstr("--sites"));
  // The value has the right type but is out of range, which shows once the
  // cohort is known.
  options_.set = {"training.rounds=0"};
  EXPECT_THAT(std::string(PrepareRun(options_).status().message()),
              HasSubstr("--set training.rounds=0"));
}

TEST_F(PrepareRunTest, APatientKeyThatOthersCanReadIsRefused) {
  const auto plan = PrepareRun(options_);
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_TRUE(PatientKeyOf(plan->sites[0]).ok());
  std::filesystem::permissions(plan->sites[0].config.patient_key_file(),
                               std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  const absl::Status status = PatientKeyOf(plan->sites[0]).status();
  EXPECT_TRUE(absl::IsPermissionDenied(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("run: chmod 600"));
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
  for (const char* name : {"demo.yaml", "pcxr.yaml", "pcxr_steps.yaml"}) {
    options_.study_path =
        absl::StrCat(HILUM_SOURCE_DIR "/sim/scenarios/", name);
    options_.force = true;
    EXPECT_TRUE(PrepareRun(options_).ok()) << PrepareRun(options_).status();
  }
}

}  // namespace
}  // namespace hilum
