// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/model_card.h"

#include <gmock/gmock.h>

#include "tests/coordinator/written_report.h"

namespace hilum {
namespace {

using testing::HasSubstr;
using testing::Not;

class ModelCardTest : public ReportTest {
 protected:
  std::string Card() {
    Write({});
    const auto card = ModelCard(federated_, text_);
    EXPECT_TRUE(card.ok()) << card.status();
    return card.value_or("");
  }
};

TEST_F(ModelCardTest, UntrainedModelsAreSaidOnTop) {
  TrainOnly({0, 0, 0});
  const std::string card = Card();
  const size_t said = card.find("No model of this study was trained");
  ASSERT_NE(said, std::string::npos);
  EXPECT_LT(said, card.find("\n## "));
  EXPECT_THAT(card, HasSubstr("| accuracy | – |"));
}

TEST_F(ModelCardTest, TrainedModelsNeedNoWord) {
  TrainOnly({40, 40, 80});
  const std::string card = Card();
  EXPECT_THAT(card, Not(HasSubstr("starting weights still")));
  EXPECT_THAT(card, HasSubstr("| accuracy | 0.9 ["));
}

TEST_F(ModelCardTest, CalibrationAndThePrimaryAucAreThere) {
  const std::string card = Card();
  EXPECT_THAT(card,
              HasSubstr("| primary AUC, as the study file says | pooled"));
  EXPECT_THAT(card, HasSubstr("| calibration slope | calibration intercept |"));
  EXPECT_THAT(card, HasSubstr("| balanced accuracy | 0.9 ["));
}

TEST_F(ModelCardTest, WhatIsNoReportIsRefused) {
  EXPECT_EQ(ModelCard(federated_, "{}").status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace hilum
