// SPDX-License-Identifier: Apache-2.0
// A folder with a site's few small cases and a study's first blobs.
#ifndef HILUM_TESTS_SITE_AGENT_TRAINER_TINY_SITE_H_
#define HILUM_TESTS_SITE_AGENT_TRAINER_TINY_SITE_H_

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/config/study.h"
#include "common/model/architecture.h"
#include "common/model/blobs.h"
#include "site_agent/imaging/pictures/write_png.h"
#include "site_agent/trainer/trainer.h"

namespace hilum {

class TinySiteTest : public testing::Test {
 protected:
  // Labels alternate; each case is a patient of its own.
  TinySiteTest(int cases, uint32_t folds)
      : folder_(absl::StrCat(
            testing::TempDir(), "/",
            testing::UnitTest::GetInstance()->current_test_info()->name(), "-",
            getpid())) {
    std::filesystem::create_directories(folder_);
    for (const char* label : {"sick", "well"}) study_.add_classes(label);
    study_.set_name("tiny");
    study_.add_sites("here");
    study_.add_arms(v1::ARM_WHOLE);
    study_.mutable_model()->set_input_size(32);
    study_.mutable_cross_validation()->set_folds(folds);
    std::string rows = "file,label,patient_id\n";
    for (int i = 0; i < cases; ++i) WriteCase(i, rows);
    EXPECT_TRUE(WriteFileAtomically(Path("manifest.csv"), rows).ok());
  }
  ~TinySiteTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const {
    return absl::StrCat(folder_, "/", name);
  }

  // Adds a study as SubmitStudy does: with defaults and the blobs `frozen` and
  // `global`.
  void TakeStudy() {
    FillStudyDefaults(study_);
    const ParameterLayout layout = StudyLayout(study_).value();
    const SplitWeights start =
        SplitInitial(layout, InitialWeights(layout.architecture, 1)).value();
    const int tracks = static_cast<int>(StudyTracks(study_).size());
    ASSERT_TRUE(WriteFileAtomically(
                    Path("global"),
                    BlobBytes(RepeatForTracks(start.travelling, tracks)))
                    .ok());
    ASSERT_TRUE(
        WriteFileAtomically(Path("frozen"), BlobBytes(start.frozen)).ok());
  }

  v1::PrepareRequest PrepareRequest() const {
    v1::PrepareRequest prepare;
    prepare.set_study(SerializeStudy(study_));
    prepare.set_manifest(Path("manifest.csv"));
    prepare.set_site("here");
    prepare.set_patient_key(std::string(32, 'k'));
    prepare.set_threads(1);
    return prepare;
  }

  v1::TrainRequest TrainRequest(uint32_t round = 1) const {
    v1::TrainRequest train;
    train.set_round(round);
    train.set_frozen_path(Path("frozen"));
    train.set_global_path(Path("global"));
    train.set_delta_path(Path("delta"));
    return train;
  }

  const std::string folder_;
  v1::Study study_;

 private:
  void WriteCase(int i, std::string& rows) {
    std::vector<uint8_t> pixels(32 * 32);
    for (size_t p = 0; p < pixels.size(); ++p) {
      pixels[p] = static_cast<uint8_t>(p * (i % 2 + 1) / 4 + 3 * i);
    }
    const std::string file = absl::StrCat(i, ".png");
    EXPECT_TRUE(
        WriteFileAtomically(Path(file), *EncodePng8(32, 32, pixels)).ok());
    absl::StrAppend(&rows, file, ",", i % 2 == 0 ? "sick" : "well", ",", i,
                    "\n");
  }
};

}  // namespace hilum

#endif  // HILUM_TESTS_SITE_AGENT_TRAINER_TINY_SITE_H_
