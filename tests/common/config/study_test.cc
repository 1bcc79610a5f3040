// SPDX-License-Identifier: Apache-2.0
#include "common/config/study.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/file.h"
#include "tests/common/config/filled_study.h"

namespace hilum {
namespace {

TEST(StudyTest, TracksAreFoldsThenFinalWithinEachArm) {
  v1::Study study = Filled();
  study.mutable_cross_validation()->set_folds(2);
  std::vector<std::string> names;
  for (const Track& track : StudyTracks(study)) {
    names.push_back(ArmTrackName(track));
  }
  EXPECT_THAT(names,
              testing::ElementsAre("segmented-fold-1", "segmented-fold-2",
                                   "segmented-final", "whole-fold-1",
                                   "whole-fold-2", "whole-final"));
}

TEST(StudyTest, BytesComeBackAsTheSameBytes) {
  std::string bytes = SerializeStudy(Filled());
  absl::StatusOr<v1::Study> read = ParseStudy(bytes);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(SerializeStudy(*read), bytes);
}

// A study that ended before must still be exportable.
TEST(StudyTest, StudyOfBeforeTasksIsReadAndClassifies) {
  v1::Study study = Filled();
  study.clear_task();
  EXPECT_FALSE(ParseStudy(SerializeStudy(study)).ok());
  for (uint32_t version : {4u, 5u, 6u}) {
    study.set_protocol_version(version);
    EXPECT_EQ(ParseStudy(SerializeStudy(study)).ok(), version == 4) << version;
  }
  EXPECT_FALSE(IsSegmentation(study));
}

constexpr char kWhole[] =
    "name: lungs\n"
    "classes: [covid19, normal]\n"
    "sites: [a, b]\n";

// Loads a file with these lines behind those of kWhole.
absl::StatusOr<v1::Study> Load(const std::string& lines) {
  const std::string path = testing::TempDir() + "/study_test.yaml";
  EXPECT_TRUE(WriteFileAtomically(path, kWhole + lines).ok());
  return LoadStudyFile(path);
}

std::string ErrorOf(const std::string& lines) {
  const absl::Status status = Load(lines).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << lines;
  return std::string(status.message());
}

TEST(StudyFileTest, ZeroThatIsGivenIsAZero) {
  auto study = Load(
      "training: {optimizer: {momentum: 0}}\n"
      "data_rules: {max_bad_share: 0}\n");
  ASSERT_TRUE(study.ok()) << study.status();
  FillStudyDefaults(*study);
  EXPECT_EQ(study->data_rules().max_bad_share(), 0);
  EXPECT_EQ(study->training().optimizer().momentum(), 0);
  auto silent = Load("");
  ASSERT_TRUE(silent.ok()) << silent.status();
  FillStudyDefaults(*silent);
  EXPECT_EQ(silent->data_rules().max_bad_share(), 0.05);
  EXPECT_EQ(silent->training().optimizer().momentum(), 0.9);
}

TEST(StudyFileTest, ZeroThatIsTheDefaultMakesNoOtherStudy) {
  auto given = Load("training: {optimizer: {kind: sgd, momentum: 0}}\n");
  auto silent = Load("training: {optimizer: {kind: sgd}}\n");
  ASSERT_TRUE(given.ok() && silent.ok());
  FillStudyDefaults(*given);
  FillStudyDefaults(*silent);
  EXPECT_EQ(SerializeStudy(*given), SerializeStudy(*silent));
}

TEST(StudyFileTest, ZeroWhereItMeansNothingIsAnErrorWithItsPlace) {
  const std::pair<const char*, const char*> kCases[] = {
      {"model:\n  input_size: 0\n", ":5:3: 'model.input_size' must be"},
      {"cross_validation: {folds: 0}\n", ":4:20: 'cross_validation.folds'"},
      {"training:\n  rounds: 0\n",
       ":5:3: 'training.rounds' must be from 1 to 100000, not 0"},
      {"training: {local_epochs: 0}\n", "'training.local_epochs'"},
      {"training: {batch_size: 0}\n", "'training.batch_size'"},
      {"training: {optimizer: {learning_rate: 0}}\n",
       ":4:24: 'training.optimizer.learning_rate'"},
      {"aggregation: {minimum_sites: 0}\n", "'aggregation.minimum_sites'"},
      {"aggregation: {round_deadline_seconds: 0}\n",
       "'aggregation.round_deadline_seconds'"},
      {"evaluation: {score_bins: 0}\n", "'evaluation.score_bins'"},
  };
  for (const auto& [lines, want] : kCases) {
    EXPECT_THAT(ErrorOf(lines), testing::HasSubstr(want));
  }
}

TEST(StudyFileTest, BrokenRuleIsShownWhereTheFileIsNearestToIt) {
  // Places of a given field, of a field in a given message, and of one not
  // given.
  EXPECT_THAT(ErrorOf("arms: [whole, whole]\n"),
              testing::HasSubstr("study_test.yaml:4:1: 'arms'"));
  EXPECT_THAT(ErrorOf("model:\n  trainable: last_blocks\n"),
              testing::HasSubstr("study_test.yaml:4:1: 'model.last_blocks'"));
  const std::string path = testing::TempDir() + "/study_test.yaml";
  ASSERT_TRUE(WriteFileAtomically(path, "name: lungs\n").ok());
  EXPECT_THAT(std::string(LoadStudyFile(path).status().message()),
              testing::HasSubstr("study_test.yaml: 'classes'"));
}

TEST(StudyFileTest, FileThatSomeoneCompletesKeepsItsPlaces) {
  const std::string path = testing::TempDir() + "/study_test.yaml";
  ASSERT_TRUE(WriteFileAtomically(path,
                                  "name: lungs\n"
                                  "classes: [covid19, normal]\n"
                                  "seed: 1\n"
                                  "evaluation: {score_bins: 9}\n")
                  .ok());
  FieldPlaces places(path);
  auto study = ReadStudyFile(path, places);
  ASSERT_TRUE(study.ok()) << study.status();
  study->add_sites("a");
  FillStudyDefaults(*study);
  EXPECT_THAT(std::string(ValidateStudy(*study, places).message()),
              testing::HasSubstr(":4:14: 'evaluation.score_bins'"));
}

}  // namespace
}  // namespace hilum
