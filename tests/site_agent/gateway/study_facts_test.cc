// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/study_facts.h"

#include <gtest/gtest.h>

#include "common/aggregation/ring.h"
#include "common/config/study.h"
#include "common/model/architecture.h"
#include "tests/site_agent/gateway/site_at_work.h"

namespace hilum {
namespace {

TEST(StudyFactsTest, BoundsFollowFromTheStudy) {
  v1::Study study = SmallStudy({"a", "b", "c"});
  study.mutable_training()->set_rounds(7);
  const StudyFacts facts = FactsOfStudy(SerializeStudy(study)).value();
  EXPECT_EQ(facts.cohort, (std::set<std::string>{"a", "b", "c"}));
  EXPECT_EQ(facts.last_round, 8u);
  EXPECT_EQ(facts.tracks, 3u);  // two folds and the final one
  EXPECT_EQ(facts.cells, 4u);   // two folds, two classes
  // All tensors once; the travelling ones once for each track.
  const ParameterLayout layout = StudyLayout(study).value();
  uint64_t all = 0, travelling = 0;
  for (const TensorSpec& tensor : layout.architecture.tensors) {
    all += static_cast<uint64_t>(tensor.size());
    if (layout.Travels(tensor)) {
      travelling += static_cast<uint64_t>(tensor.size());
    }
  }
  EXPECT_EQ(facts.initial_bytes, 4 * all);
  EXPECT_EQ(facts.model_bytes, 3 * 4 * travelling);
  // Behind the tracks lie a count of each track and the loss of the one arm.
  EXPECT_EQ(facts.vector_bytes, 4 * (3 * travelling + 3 + 1));
  EXPECT_EQ(facts.manifest_sha256, layout.manifest_sha256);
}

TEST(StudyFactsTest, LongestVectorMayBeTheEvaluation) {
  v1::Study study = SmallStudy();
  study.mutable_evaluation()->set_score_bins(8192);
  const StudyFacts facts = FactsOfStudy(SerializeStudy(study)).value();
  // Two tracks that hold out, two classes, positives and negatives.
  EXPECT_GT(facts.vector_bytes, 2 * 2 * 2 * 8192 * sizeof(uint32_t));
}

TEST(StudyFactsTest, WhatIsNoStudyHasNone) {
  EXPECT_FALSE(FactsOfStudy("\xff no study").ok());
  EXPECT_FALSE(FactsOfStudy("").ok());
  v1::Study study = SmallStudy();
  study.mutable_model()->set_architecture("net-of-a-stranger");
  EXPECT_FALSE(FactsOfStudy(SerializeStudy(study)).ok());
}

}  // namespace
}  // namespace hilum
