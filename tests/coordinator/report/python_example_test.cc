// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/config/study.h"
#include "coordinator/report/python_model.h"

namespace hilum {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

v1::Study StudyOf(const std::string& architecture) {
  v1::Study study;
  study.mutable_model()->set_architecture(architecture);
  for (const char* label : {"a", "b", "c"}) study.add_classes(label);
  study.add_arms(v1::ARM_WHOLE);
  FillStudyDefaults(study);
  study.mutable_model()->set_input_size(80);
  return study;
}

TEST(PythonModelTest, TheFileIsTheOneInTheTree) {
  EXPECT_EQ(PythonModelFile(),
            ReadFile(absl::StrCat(HILUM_SOURCE_DIR,
                                  "/coordinator/report/hilum_small.py"))
                .value());
}

TEST(PythonExampleTest, TheExampleHasTheStudysModel) {
  v1::Study study = StudyOf("hilum_small");
  EXPECT_TRUE(HasPythonModel(study));
  EXPECT_THAT(
      PythonExample(study),
      AllOf(HasSubstr("HilumSmall(3).eval()"), HasSubstr("prepare(gray, 80)"),
            HasSubstr("\"whole-final.pth\""), HasSubstr("\"a b c\""),
            HasSubstr("torch.tensor([4])"), Not(HasSubstr("lungs"))));
  study.mutable_model()->set_head_units(16);
  study.mutable_model()->set_input_channels(3);
  study.set_arms(0, v1::ARM_SEGMENTED);
  study.mutable_cross_validation()->set_skip_final_track(true);
  EXPECT_THAT(PythonExample(study),
              AllOf(HasSubstr("HilumSmall(3, input_channels=3, head_units=16)"),
                    HasSubstr("\"segmented-fold-1.pth\""),
                    HasSubstr("torch.tensor([4, 4, 4])"),
                    HasSubstr("see the lungs alone")));
}

TEST(PythonExampleTest, TorchvisionDefinesTheOtherArchitectures) {
  EXPECT_FALSE(HasPythonModel(StudyOf("resnet18")));
  EXPECT_EQ(PythonExample(StudyOf("resnet18")), "");
}

}  // namespace
}  // namespace hilum
