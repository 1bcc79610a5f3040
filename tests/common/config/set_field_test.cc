// SPDX-License-Identifier: Apache-2.0
#include "common/config/set_field.h"

#include <gtest/gtest.h>

#include <string>

#include "hilum/v1/study.pb.h"

namespace hilum {
namespace {

TEST(SetYamlFieldTest, AValueTakesThePlaceOfTheOldOne) {
  v1::Study study;
  study.add_arms(v1::ARM_SEGMENTED);
  study.mutable_training()->set_batch_size(8);
  for (const char* assignment :
       {"training.rounds=3", "arms=[whole]",
        "training.optimizer={kind: adam, learning_rate: 0.01}", "name=a=b"}) {
    const absl::Status set = SetYamlField(assignment, "--set", &study);
    EXPECT_TRUE(set.ok()) << set;
  }
  EXPECT_EQ(study.training().rounds(), 3u);
  EXPECT_EQ(study.training().batch_size(), 8u);
  EXPECT_EQ(study.arms_size(), 1);
  EXPECT_EQ(study.arms(0), v1::ARM_WHOLE);
  EXPECT_EQ(study.training().optimizer().learning_rate(), 0.01);
  EXPECT_EQ(study.name(), "a=b");
}

TEST(SetYamlFieldTest, FaultsNameWhatWasTyped) {
  v1::Study study;
  for (const char* wrong :
       {"", "=", "rounds", ".=1", "training..rounds=3", "training.rounds.x=3",
        "training=3", "training.rounds=[3", "training.rounds=-3", "seed=-1",
        "seed=1.5", "nothing=1", "training.rounds="}) {
    const absl::Status status = SetYamlField(wrong, "--set", &study);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << wrong;
    EXPECT_EQ(status.message().find(std::string("--set ") + wrong + ": "), 0u)
        << status;
  }
}

}  // namespace
}  // namespace hilum
