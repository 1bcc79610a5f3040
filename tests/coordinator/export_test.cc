// SPDX-License-Identifier: Apache-2.0
#include "coordinator/export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "common/model/lungs_unet.h"
#include "common/model/safetensors.h"
#include "common/model/weights_file.h"
#include "coordinator/active_study.h"
#include "coordinator/model_files.h"
#include "coordinator/submission.h"
#include "tests/coordinator/fake_site.h"

namespace hilum {
namespace {

using ::testing::Contains;
using ::testing::Not;
using ::testing::Pair;

class ExportTest : public testing::Test {
 protected:
  ExportTest() {
    std::filesystem::remove_all(dir_);
    EXPECT_TRUE(MakeDirectories(dir_).ok());
    blobs_ = BlobStore::Open(absl::StrCat(dir_, "/blobs")).value();
  }
  ~ExportTest() override { std::filesystem::remove_all(dir_); }

  // Writes the models of a submitted study to dir_.
  void WriteModelsOf(const StoredStudy& stored) {
    StudyResult result{.study = ParseStudy(stored.study).value(),
                       .study_hash = stored.hash,
                       .model_rounds = {0, 0, 0}};
    const absl::Status written = WriteModels(stored, *blobs_, dir_, result);
    ASSERT_TRUE(written.ok()) << written;
  }

  const std::string dir_ = absl::StrCat(
      testing::TempDir(), "/export-",
      testing::UnitTest::GetInstance()->current_test_info()->name());
  std::optional<BlobStore> blobs_;
};

v1::Study LungsStudy() {
  v1::Study study;
  study.set_name("lungs");
  study.set_task(v1::STUDY_TASK_SEGMENTATION);
  for (const char* label : {"sick", "well"}) study.add_classes(label);
  for (const char* site : {"a", "b"}) study.add_sites(site);
  study.mutable_cross_validation()->set_folds(2);
  study.mutable_model()->set_input_size(96);
  return study;
}

TEST_F(ExportTest, LungsModelSaysItsSizeSoThatSegmentRunOpensIt) {
  const auto stored = PrepareSubmission(LungsStudy(), "", {}, *blobs_);
  ASSERT_TRUE(stored.ok()) << stored.status();
  WriteModelsOf(*stored);
  const auto file =
      WeightsFile::Open(dir_ + "/model/whole-final.safetensors").value();
  EXPECT_THAT(file.metadata(),
              Contains(Pair(std::string(kSegmenterSizeKey), "96")));
  EXPECT_THAT(file.metadata(),
              Contains(Pair("architecture", "hilum_lungs_unet")));
  const Architecture unet = LookUpArchitecture({"hilum_lungs_unet", 2}).value();
  EXPECT_TRUE(ReadWeights(file, unet, {}).ok());
}

TEST_F(ExportTest, ModelThatClassifiesHasNoSuchSize) {
  const auto stored = PrepareSubmission(TinyStudy(), "", {}, *blobs_);
  ASSERT_TRUE(stored.ok()) << stored.status();
  WriteModelsOf(*stored);
  const auto file =
      WeightsFile::Open(dir_ + "/model/whole-final.safetensors").value();
  EXPECT_THAT(file.metadata(),
              Not(Contains(Pair(std::string(kSegmenterSizeKey), testing::_))));
}

TEST_F(ExportTest, LungsStudyStartsFromAFileOfTheNetwork) {
  const Architecture unet = LookUpArchitecture({"hilum_lungs_unet", 2}).value();
  const std::vector<float> brought(InitialWeights(unet, 0).size(), 0.25f);
  const std::string path = dir_ + "/brought.safetensors";
  // A file of `hilum-trainer segment train`, made for another image size, which
  // does not matter here.
  ASSERT_TRUE(WriteSafetensors(path, unet, brought,
                               {{std::string(kSegmenterSizeKey), "128"}})
                  .ok());
  const auto stored = PrepareSubmission(LungsStudy(), path, {}, *blobs_);
  ASSERT_TRUE(stored.ok()) << stored.status();
  WriteModelsOf(*stored);
  const auto file =
      WeightsFile::Open(dir_ + "/model/whole-fold-1.safetensors").value();
  EXPECT_EQ(ReadWeights(file, unet, {}).value(), brought);
}

// Returns a study as a database of protocol 4 stores it: censuses without
// fingerprints and masks.
StoredStudy OldStudy(StoredStudy stored, v1::StudyStatus::Phase phase) {
  v1::Study study = ParseStudy(stored.study).value();
  study.clear_task();
  study.mutable_data_rules()->clear_judge_masks();
  study.set_protocol_version(4);
  stored.study = SerializeStudy(study);
  stored.hash = Sha256Of(stored.study);
  stored.phase = phase;
  for (const char* site : {"a", "b"}) {
    v1::SubmitCensusRequest& census =
        *stored.census[SiteId(site)].mutable_census();
    census = TinyCensus();
    census.clear_rejected_masks();
    census.mutable_arms(0)->clear_fingerprint();
    stored.evaluations[SiteId(site)] = TinyEvaluation();
  }
  stored.rounds = {{.round = 1,
                    .contributors = {SiteId("a"), SiteId("b")},
                    .mean_loss = {1, 1, 1}}};
  return stored;
}

TEST_F(ExportTest, EndedStudyOfBeforeProtocolFiveIsExportedOnceMore) {
  const auto stored = PrepareSubmission(TinyStudy(), "", {}, *blobs_);
  ASSERT_TRUE(stored.ok()) << stored.status();
  const StoredStudy old = OldStudy(*stored, v1::StudyStatus::COMPLETED);
  EXPECT_TRUE(
      ActiveStudy::Create(old, nullptr, nullptr, absl::UnixEpoch()).ok());
  const auto files = WriteExport(old, *blobs_, dir_);
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_THAT(*files, Contains("report.html"));
}

TEST_F(ExportTest, UnendedStudyOfBeforeProtocolFiveIsNotWorkedOn) {
  const auto stored = PrepareSubmission(TinyStudy(), "", {}, *blobs_);
  ASSERT_TRUE(stored.ok()) << stored.status();
  const auto active =
      ActiveStudy::Create(OldStudy(*stored, v1::StudyStatus::TRAINING), nullptr,
                          nullptr, absl::UnixEpoch());
  EXPECT_EQ(active.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(active.status().message()),
              testing::HasSubstr("protocol 4"));
}

}  // namespace
}  // namespace hilum
