// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/model_card_text.h"

#include <gmock/gmock.h>

#include "tests/coordinator/written_report.h"

namespace hilum {
namespace {

using testing::HasSubstr;
using testing::Not;

using ModelCardTextTest = ReportTest;

TEST_F(ModelCardTextTest, HeadHasALineForEachColumn) {
  EXPECT_EQ(MarkdownRow({"a", "b"}), "| a | b |\n");
  EXPECT_EQ(MarkdownHead({"a", "b"}), "| a | b |\n|---|---|\n");
}

// Who uses the weights elsewhere prepares images by this.
TEST_F(ModelCardTextTest, FormulaIsOfTheStudysPreprocessing) {
  v1::Model& model = *study_.mutable_model();
  EXPECT_THAT(InputText(study_), HasSubstr("`(x - 0.5) / 0.25`"));
  model.set_preprocessing(v1::Model::PREPROCESSING_TORCHXRAYVISION);
  EXPECT_THAT(InputText(study_), HasSubstr("`(2 x - 1) * 1024`"));
  model.set_preprocessing(v1::Model::PREPROCESSING_IMAGENET);
  model.set_input_channels(1);
  EXPECT_THAT(InputText(study_), HasSubstr("`(x - 0.449) / 0.226`"));
  model.set_input_channels(3);
  EXPECT_THAT(InputText(study_), HasSubstr("means 0.485, 0.456, 0.406"));
  EXPECT_THAT(InputText(study_), HasSubstr("logits in this order: sick, well"));
}

TEST_F(ModelCardTextTest, TrainingSaysWhatWasTrainedAndHowLong) {
  federated_.study.mutable_model()->set_trainable(v1::Model::TRAINABLE_HEAD);
  federated_.study.mutable_training()->set_rounds(10);
  EXPECT_THAT(TrainingText(federated_),
              HasSubstr("| trained | the head; all before it is as it started "
                        "|\n| rounds | 1 of 10 planned"));
  federated_.study.mutable_model()->set_trainable(
      v1::Model::TRAINABLE_LAST_BLOCKS);
  federated_.study.mutable_model()->set_last_blocks(2);
  EXPECT_THAT(TrainingText(federated_), HasSubstr("the last 2 blocks"));
}

TEST_F(ModelCardTextTest, OnlyLocalBatchNormalisationIsALimit) {
  v1::Model& model = *federated_.study.mutable_model();
  model.set_batch_norm(v1::Model::BATCH_NORM_AVERAGED);
  EXPECT_THAT(LimitsText(federated_), Not(HasSubstr("FedBN")));
  model.set_batch_norm(v1::Model::BATCH_NORM_LOCAL);
  EXPECT_THAT(LimitsText(federated_), HasSubstr("FedBN"));
  federated_.study.set_task(v1::STUDY_TASK_SEGMENTATION);
  EXPECT_THAT(LimitsText(federated_), Not(HasSubstr("Probabilities")));
}

}  // namespace
}  // namespace hilum
