// SPDX-License-Identifier: Apache-2.0
// Sites with a few small chests and their masks, and a study's blobs.
#ifndef HILUM_TESTS_SITE_AGENT_TRAINER_SEGMENTATION_LUNG_SITE_H_
#define HILUM_TESTS_SITE_AGENT_TRAINER_SEGMENTATION_LUNG_SITE_H_

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/config/study.h"
#include "common/model/architecture.h"
#include "common/model/blobs.h"
#include "site_agent/imaging/pictures/write_png.h"
#include "site_agent/trainer/torch_trainer.h"
#include "tests/site_agent/trainer/segmentation/chest.h"

namespace hilum {

class LungSiteTest : public testing::Test {
 protected:
  static constexpr int kSide = 32;

  LungSiteTest()
      : folder_(absl::StrCat(
            testing::TempDir(), "/",
            testing::UnitTest::GetInstance()->current_test_info()->name(), "-",
            getpid())) {
    std::filesystem::create_directories(folder_);
    for (const char* label : {"ill", "well"}) study_.add_classes(label);
    study_.set_name("lungs");
    study_.set_task(v1::STUDY_TASK_SEGMENTATION);
    study_.add_sites("a");
    study_.add_sites("b");
    study_.mutable_model()->set_input_size(kSide);
    study_.mutable_cross_validation()->set_folds(2);
    study_.mutable_training()->set_rounds(4);
    study_.mutable_training()->set_batch_size(4);
    study_.mutable_data_rules()->set_judge_masks(false);
  }
  ~LungSiteTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const {
    return absl::StrCat(folder_, "/", name);
  }
  void Write(const std::string& name, absl::string_view bytes) const {
    ASSERT_TRUE(WriteFileAtomically(Path(name), bytes, Durability::kNone).ok());
  }

  // Writes chests first .. first + count - 1 as SITE.csv: labels alternate,
  // each patient has three. The first `without` chests have no mask.
  void WriteSite(const std::string& site, int first, int count,
                 int without = 0) const {
    std::string rows = "file,label,patient_id,mask\n";
    for (int n = first; n < first + count; ++n) {
      const Chest chest(n);
      const std::string image = absl::StrCat(site, n, ".png");
      const std::string mask = absl::StrCat(site, n, "m.png");
      Write(image, *EncodePng8(Chest::kRows, Chest::kColumns, chest.image));
      Write(mask, *EncodePng8(Chest::kRows, Chest::kColumns, chest.mask));
      absl::StrAppend(&rows, image, ",", n % 2 ? "ill" : "well", ",p", n / 3,
                      ",", n - first < without ? "" : mask, "\n");
    }
    Write(absl::StrCat(site, ".csv"), rows);
  }

  // Adds a study as SubmitStudy does: with defaults and the blob `global`.
  void TakeStudy() {
    FillStudyDefaults(study_);
    ASSERT_TRUE(ValidateStudy(study_).ok()) << ValidateStudy(study_);
    layout_ = *StudyLayout(study_);
    tracks_ = StudyTracks(study_);
    ASSERT_EQ(layout_.frozen_size, 0);
    WriteGlobal(RepeatForTracks(InitialWeights(layout_.architecture, 1),
                                static_cast<int>(tracks_.size())));
  }
  void WriteGlobal(const std::vector<float>& values) const {
    Write("global", BlobBytes(values));
  }
  std::vector<float> ReadBlob(const std::string& name) const {
    return *BlobValues(*ReadFile(Path(name)));
  }
  // Returns a track's part of a blob.
  std::vector<float> PartOf(const std::vector<float>& blob,
                            size_t track) const {
    const auto size = layout_.travelling_size;
    const auto from = blob.begin() + static_cast<int64_t>(track) * size;
    return std::vector<float>(from, from + size);
  }

  v1::PrepareRequest PrepareRequest(const std::string& site,
                                    uint32_t threads = 1) const {
    v1::PrepareRequest prepare;
    prepare.set_study(SerializeStudy(study_));
    prepare.set_manifest(Path(absl::StrCat(site, ".csv")));
    prepare.set_site(site);
    prepare.set_patient_key(std::string(32, 'k'));
    prepare.set_threads(threads);
    return prepare;
  }
  void Prepare(TorchTrainer& trainer, const std::string& site,
               uint32_t threads = 1) const {
    auto prepared = trainer.Prepare(PrepareRequest(site, threads));
    ASSERT_TRUE(prepared.ok()) << prepared.status();
  }

  // Writes deltas to `delta`.
  v1::TrainResponse Train(TorchTrainer& trainer, uint32_t round) const {
    v1::TrainRequest train;
    train.set_round(round);
    train.set_global_path(Path("global"));
    train.set_delta_path(Path("delta"));
    auto trained = trainer.Train(train);
    EXPECT_TRUE(trained.ok()) << trained.status();
    return trained.ok() ? *trained : v1::TrainResponse();
  }

  // Writes predictions to `predictions`.
  v1::EvaluateResponse Evaluate(TorchTrainer& trainer) const {
    v1::EvaluateRequest evaluate;
    evaluate.set_global_path(Path("global"));
    evaluate.set_predictions_path(Path("predictions"));
    auto evaluated = trainer.Evaluate(evaluate);
    EXPECT_TRUE(evaluated.ok()) << evaluated.status();
    return evaluated.ok() ? *evaluated : v1::EvaluateResponse();
  }

  const std::string folder_;
  v1::Study study_;
  ParameterLayout layout_;
  std::vector<Track> tracks_;
};

}  // namespace hilum

#endif  // HILUM_TESTS_SITE_AGENT_TRAINER_SEGMENTATION_LUNG_SITE_H_
