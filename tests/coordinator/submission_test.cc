// SPDX-License-Identifier: Apache-2.0
#include "coordinator/submission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "common/model/blobs.h"
#include "common/model/safetensors.h"
#include "common/model/torch_writer.h"
#include "common/model/trained_on.h"
#include "tests/coordinator/fake_site.h"

namespace hilum {
namespace {

class SubmissionTest : public testing::Test {
 protected:
  SubmissionTest() {
    std::filesystem::remove_all(dir_);
    EXPECT_TRUE(MakeDirectories(dir_).ok());
  }

  // Returns a .pth of hilum_small with so many classes, every value 0.25.
  std::string Weights(int classes) {
    const Architecture small =
        LookUpArchitecture({"hilum_small", classes}).value();
    const std::string path = absl::StrCat(dir_, "/brought");
    std::vector<float> values(InitialWeights(small, 0).size(), 0.25f);
    EXPECT_TRUE(WriteTorchFile(path, small, values).ok());
    return path;
  }

  // Returns the starting weights of a stored study's first track.
  std::vector<float> Start(const StoredStudy& stored) {
    const std::string path =
        absl::StrCat(dir_, "/blobs/", ToHex(stored.global.sha256()));
    std::vector<float> start = BlobValues(ReadFile(path).value()).value();
    start.resize(start.size() / 3);
    return start;
  }

  const std::string dir_ = absl::StrCat(
      testing::TempDir(), "/submission-",
      testing::UnitTest::GetInstance()->current_test_info()->name());
  const v1::Study study_ = TinyStudy();
};

TEST_F(SubmissionTest, AHospitalsPthStartsAStudy) {
  BlobStore blobs = BlobStore::Open(absl::StrCat(dir_, "/blobs")).value();
  auto stored = PrepareSubmission(study_, Weights(2), {}, blobs);
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_THAT(Start(*stored), testing::Each(0.25f));
}

TEST_F(SubmissionTest, AFreshHeadIsOfTheStudysSeed) {
  v1::Study study = study_;
  study.set_seed(9);
  BlobStore blobs = BlobStore::Open(absl::StrCat(dir_, "/blobs")).value();
  const std::string weights = Weights(14);
  auto refused = PrepareSubmission(study, weights, {}, blobs);
  EXPECT_THAT(std::string(refused.status().message()),
              testing::HasSubstr("head.weight [14, 160], not [2, 160]"));
  auto stored = PrepareSubmission(study, weights, {.fresh_head = true}, blobs);
  ASSERT_TRUE(stored.ok()) << stored.status();
  const Architecture small = LookUpArchitecture({"hilum_small", 2}).value();
  const std::vector<float> drawn = InitialWeights(small, 9);
  const std::vector<float> start = Start(*stored);
  ASSERT_EQ(start.size(), drawn.size());
  const size_t head = 2 * 160 + 2;
  EXPECT_TRUE(std::equal(drawn.end() - head, drawn.end(), start.end() - head));
  EXPECT_EQ(start[0], 0.25f);
}

TEST_F(SubmissionTest, TheStudyNamesItsWeightsAndTheirImages) {
  const Architecture small = LookUpArchitecture({"hilum_small", 2}).value();
  const std::string path = absl::StrCat(dir_, "/best.safetensors");
  TrainedOnList data;
  v1::TrainedOn& set = *data.Add();
  set.set_name("open set");
  set.set_images(1);
  set.set_digests("12345678");
  auto write = [&](const std::string& list) {
    EXPECT_TRUE(WriteSafetensors(path, small, InitialWeights(small, 0),
                                 {{kTrainedOnKey, list}})
                    .ok());
  };
  write(TrainedOnText(data));
  BlobStore blobs = BlobStore::Open(absl::StrCat(dir_, "/blobs")).value();
  auto stored = PrepareSubmission(study_, path, {}, blobs);
  ASSERT_TRUE(stored.ok()) << stored.status();
  const v1::StartingWeights weights =
      ParseStudy(stored->study)->starting_weights();
  EXPECT_EQ(weights.file(), "best.safetensors");
  EXPECT_EQ(weights.file_sha256(), Sha256Of(*ReadFile(path)));
  ASSERT_EQ(weights.trained_on_size(), 1);
  EXPECT_EQ(weights.trained_on(0).SerializeAsString(), set.SerializeAsString());
  // Words of a study's YAML on weights do not count.
  v1::Study claims = study_;
  *claims.mutable_starting_weights() = weights;
  stored = PrepareSubmission(claims, "", {}, blobs);
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_FALSE(ParseStudy(stored->study)->has_starting_weights());
  write("[{}]");
  const absl::Status damaged =
      PrepareSubmission(study_, path, {}, blobs).status();
  EXPECT_TRUE(absl::IsInvalidArgument(damaged));
  EXPECT_THAT(std::string(damaged.message()),
              testing::HasSubstr("best.safetensors: metadata trained_on"));
}

TEST_F(SubmissionTest, WeightsBringTheirPreprocessing) {
  const Architecture small = LookUpArchitecture({"hilum_small", 2}).value();
  const std::string path = absl::StrCat(dir_, "/says.safetensors");
  auto written = [&](const std::string& says) {
    EXPECT_TRUE(WriteSafetensors(path, small, InitialWeights(small, 0),
                                 {{"preprocessing", says}})
                    .ok());
    return path;
  };
  BlobStore blobs = BlobStore::Open(absl::StrCat(dir_, "/blobs")).value();
  v1::Study silent = study_;
  silent.mutable_model()->clear_preprocessing();
  auto taken = PrepareSubmission(silent, written("torchxrayvision"), {}, blobs);
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_EQ(ParseStudy(taken->study)->model().preprocessing(),
            v1::Model::PREPROCESSING_TORCHXRAYVISION);
  // study_ has hilum.
  auto refused = PrepareSubmission(study_, path, {}, blobs);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.status().message()),
              testing::AllOf(testing::HasSubstr("hilum, but"),
                             testing::HasSubstr("take torchxrayvision")));
  EXPECT_TRUE(PrepareSubmission(study_, written("hilum"), {}, blobs).ok());
  auto unknown = PrepareSubmission(silent, written("caffe"), {}, blobs);
  EXPECT_THAT(std::string(unknown.status().message()),
              testing::AllOf(testing::HasSubstr(path),
                             testing::HasSubstr("'caffe' is unknown")));
}

// The head fits by its shapes, but its outputs mean other classes.
TEST_F(SubmissionTest, AHeadOfOtherClassesIsRefusedOrReplaced) {
  const Architecture small = LookUpArchitecture({"hilum_small", 2}).value();
  const std::string path = absl::StrCat(dir_, "/other.safetensors");
  const std::vector<float> brought(InitialWeights(small, 0).size(), 0.25f);
  const std::string turned =
      absl::StrCat(study_.classes(1), ",", study_.classes(0));
  ASSERT_TRUE(WriteSafetensors(path, small, brought,
                               {{"classes", turned}, {"input_size", "500"}})
                  .ok());
  BlobStore blobs = BlobStore::Open(absl::StrCat(dir_, "/blobs")).value();
  auto refused = PrepareSubmission(study_, path, {}, blobs);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.status().message()),
              testing::HasSubstr("--fresh-head"));
  SubmissionNotes notes;
  auto stored =
      PrepareSubmission(study_, path, {.fresh_head = true}, blobs, &notes);
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_THAT(notes.warnings,
              testing::ElementsAre(testing::HasSubstr("input_size 500")));
  const std::vector<float> drawn = InitialWeights(small, study_.seed());
  const std::vector<float> start = Start(*stored);
  ASSERT_EQ(start.size(), drawn.size());
  const size_t head = 2 * 160 + 2;
  EXPECT_TRUE(std::equal(drawn.end() - head, drawn.end(), start.end() - head));
  EXPECT_EQ(start[0], 0.25f);
}

TEST_F(SubmissionTest, WeightsThatSayNothingLeaveTheDefault) {
  v1::Study silent = study_;
  silent.mutable_model()->clear_preprocessing();
  BlobStore blobs = BlobStore::Open(absl::StrCat(dir_, "/blobs")).value();
  auto stored = PrepareSubmission(silent, Weights(2), {}, blobs);
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_EQ(ParseStudy(stored->study)->model().preprocessing(),
            v1::Model::PREPROCESSING_HILUM);
}

TEST_F(SubmissionTest, FrozenBatchNormWantsWeights) {
  v1::Study study = study_;
  study.mutable_model()->set_architecture("resnet18");
  BlobStore blobs = BlobStore::Open(absl::StrCat(dir_, "/blobs")).value();
  auto refused = PrepareSubmission(study, "", {}, blobs);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.status().message()),
              testing::AllOf(testing::HasSubstr("model.batch_norm: frozen"),
                             testing::HasSubstr("--weights")));
  // A head has no batch normalisation.
  study.mutable_model()->set_trainable(v1::Model::TRAINABLE_HEAD);
  EXPECT_TRUE(PrepareSubmission(study, "", {}, blobs).ok());
  study.mutable_model()->set_trainable(v1::Model::TRAINABLE_LAST_BLOCKS);
  study.mutable_model()->set_last_blocks(1);
  EXPECT_FALSE(PrepareSubmission(study, "", {}, blobs).ok());
  study.mutable_model()->set_batch_norm(v1::Model::BATCH_NORM_AVERAGED);
  EXPECT_TRUE(PrepareSubmission(study, "", {}, blobs).ok());
}

}  // namespace
}  // namespace hilum
