// SPDX-License-Identifier: Apache-2.0
#include "common/model/preprocessing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hilum {
namespace {

using testing::HasSubstr;

constexpr v1::Model::Preprocessing kAll[] = {
    v1::Model::PREPROCESSING_HILUM, v1::Model::PREPROCESSING_IMAGENET,
    v1::Model::PREPROCESSING_TORCHXRAYVISION};

TEST(PreprocessingTest, NamesComeBackAndOthersAreRefused) {
  for (v1::Model::Preprocessing preset : kAll) {
    EXPECT_EQ(ParsePreprocessing(PreprocessingName(preset)).value(), preset);
  }
  for (const char* name : {"", "unspecified", "Hilum", "radimagenet"}) {
    EXPECT_THAT(std::string(ParsePreprocessing(name).status().message()),
                HasSubstr("known: hilum, imagenet, torchxrayvision"));
  }
}

TEST(PreprocessingTest, AFileSaysItOrSaysNothing) {
  EXPECT_EQ(PreprocessingOf({{"preprocessing", "imagenet"}}).value(),
            v1::Model::PREPROCESSING_IMAGENET);
  EXPECT_EQ(PreprocessingOf({{"format", "pt"}}).value(), std::nullopt);
  EXPECT_FALSE(PreprocessingOf({{"preprocessing", "caffe"}}).ok());
}

TEST(PreprocessingTest, ScalesAreThePublishedFormulas) {
  const double means[] = {0.485, 0.456, 0.406};
  const double deviations[] = {0.229, 0.224, 0.225};
  for (double x : {0.0, 0.3, 1.0}) {
    auto of = [&](v1::Model::Preprocessing preset, int channels, size_t c) {
      const ChannelScales scales = ScalesOf(preset, channels);
      EXPECT_EQ(scales.scale.size(), static_cast<size_t>(channels));
      EXPECT_EQ(scales.shift.size(), static_cast<size_t>(channels));
      return x * static_cast<double>(scales.scale[c]) +
             static_cast<double>(scales.shift[c]);
    };
    for (size_t c = 0; c < 3; ++c) {
      EXPECT_NEAR(of(kAll[0], 3, c), (x - 0.5) / 0.25, 1e-5);
      EXPECT_NEAR(of(kAll[1], 3, c), (x - means[c]) / deviations[c], 1e-5);
      EXPECT_NEAR(of(kAll[2], 3, c), (2 * x - 1) * 1024, 1e-3);
    }
    EXPECT_NEAR(of(kAll[0], 1, 0), (x - 0.5) / 0.25, 1e-5);
    EXPECT_NEAR(of(kAll[1], 1, 0), (x - 0.449) / 0.226, 1e-5);
    EXPECT_NEAR(of(kAll[2], 1, 0), (2 * x - 1) * 1024, 1e-3);
  }
}

}  // namespace
}  // namespace hilum
