// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/steps.h"

#include <gtest/gtest.h>

namespace hilum {
namespace {

v1::Study StudyOf(uint32_t batch_size, uint32_t epochs) {
  v1::Study study;
  study.mutable_training()->set_batch_size(batch_size);
  study.mutable_training()->set_local_epochs(epochs);
  return study;
}

TEST(StepsTest, StudysBatchStaysWhereItsStepsAreEnough) {
  EXPECT_EQ(BatchSizeFor(StudyOf(16, 1), 16 * 8, 8), 16u);
  EXPECT_EQ(BatchSizeFor(StudyOf(16, 1), 16 * 7 + 1, 8), 16u);
  EXPECT_EQ(BatchSizeFor(StudyOf(16, 4), 17, 8), 16u);
  EXPECT_EQ(BatchSizeFor(StudyOf(16, 1), 3, 0), 16u);
  EXPECT_EQ(BatchSizeFor(StudyOf(16, 1), 0, 0), 16u);
}

TEST(StepsTest, SmallerBatchesMakeUpForFewCases) {
  EXPECT_EQ(BatchSizeFor(StudyOf(16, 1), 16 * 7, 8), 14u);
  EXPECT_EQ(BatchSizeFor(StudyOf(16, 1), 15, 8), 1u);
  EXPECT_EQ(BatchSizeFor(StudyOf(16, 2), 15, 8), 3u);
  EXPECT_EQ(BatchSizeFor(StudyOf(16, 1), 8, 8), 1u);
}

TEST(StepsTest, TooFewCasesAreNotTrainedOn) {
  EXPECT_EQ(BatchSizeFor(StudyOf(16, 1), 7, 8), 0u);
  EXPECT_EQ(BatchSizeFor(StudyOf(16, 2), 3, 8), 0u);
  EXPECT_EQ(BatchSizeFor(StudyOf(16, 2), 4, 8), 1u);
  EXPECT_EQ(BatchSizeFor(StudyOf(16, 2), 0, 8), 0u);
}

void ExpectEnoughSteps(v1::StudyTask task, uint32_t epochs, uint32_t steps) {
  v1::Study study = StudyOf(16, epochs);
  study.set_task(task);
  for (size_t cases = 0; cases < 150; ++cases) {
    const size_t size = BatchSizeFor(study, cases, steps);
    EXPECT_EQ(size == 0, cases * epochs < steps) << cases;
    if (size == 0) continue;
    EXPECT_LE(size, 16u);
    EXPECT_GE(epochs * StepsOfEpoch(study, cases, size), steps) << cases;
  }
}

// Three epochs and ten steps. If a last batch is left out, some batch sizes
// give a step too few although the cases suffice.
TEST(StepsTest, EachChoiceHasItsStepsWhereverThereAreCasesEnough) {
  for (v1::StudyTask task :
       {v1::STUDY_TASK_CLASSIFICATION, v1::STUDY_TASK_SEGMENTATION}) {
    for (uint32_t epochs : {1u, 2u, 3u}) {
      for (uint32_t steps : {1u, 8u, 10u}) {
        ExpectEnoughSteps(task, epochs, steps);
      }
    }
  }
}

TEST(StepsTest, SegmentationLeavesASmallLastBatchOut) {
  v1::Study study = StudyOf(4, 1);
  EXPECT_EQ(StepsOfEpoch(study, 9, 4), 3u);
  study.set_task(v1::STUDY_TASK_SEGMENTATION);
  EXPECT_EQ(StepsOfEpoch(study, 9, 4), 2u);
  EXPECT_EQ(StepsOfEpoch(study, 10, 4), 3u);
  EXPECT_EQ(StepsOfEpoch(study, 1, 4), 1u);
  // 17 cases in three epochs of batches of five: nine steps.
  study = StudyOf(16, 3);
  EXPECT_EQ(BatchSizeFor(study, 17, 10), 5u);
  study.set_task(v1::STUDY_TASK_SEGMENTATION);
  EXPECT_EQ(BatchSizeFor(study, 17, 10), 4u);
}

}  // namespace
}  // namespace hilum
