// SPDX-License-Identifier: Apache-2.0
#include "coordinator/round.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hilum {
namespace {

using State = Round::State;

const SiteId kA("a"), kB("b"), kC("c");
const absl::Time kStart = absl::FromUnixSeconds(1000);
const absl::Time kDeadline = kStart + absl::Minutes(1);

Round Open() {
  return Round({.number = 1,
                .sites = {kC, kA, kB},
                .minimum_sites = 2,
                .deadline = kDeadline});
}

TEST(RoundTest, RoundClosesOnceNobodyIsWaitedFor) {
  Round round = Open();
  round.Accept(kA);
  round.Accept(kB);
  EXPECT_EQ(round.StateAt(kStart), State::kOpen);
  EXPECT_THAT(round.waiting(), testing::ElementsAre(kC));
  round.Accept(kC);
  EXPECT_EQ(round.StateAt(kStart), State::kClosed);
}

TEST(RoundTest, DeadlineClosesWithTheQuorumAndFailsWithFewer) {
  Round round = Open();
  round.Accept(kA);
  EXPECT_EQ(round.StateAt(kDeadline), State::kFailed);
  round.Accept(kB);
  EXPECT_EQ(round.StateAt(kDeadline - absl::Nanoseconds(1)), State::kOpen);
  EXPECT_EQ(round.StateAt(kDeadline), State::kClosed);
}

TEST(RoundTest, RefusedSiteIsNotWaitedForAndDoesNotCount) {
  Round round = Open();
  round.Accept(kA);
  round.Refuse(kA, "bad sum");
  EXPECT_FALSE(round.HasAnswer(kA));
  EXPECT_EQ(round.refused().at(kA), "bad sum");
  round.Accept(kB);
  round.Refuse(kC, "too large");
  EXPECT_EQ(round.StateAt(kStart), State::kFailed);
  // A good answer mends a refusal.
  round.Accept(kC);
  EXPECT_TRUE(round.refused().count(kC) == 0);
  EXPECT_EQ(round.StateAt(kStart), State::kClosed);
}

TEST(RoundTest, StrangerNeitherCountsNorIsRefusedUntilItIsAdmitted) {
  Round round = Open();
  const SiteId stranger("d");
  round.Accept(stranger);
  round.Refuse(stranger, "unknown");
  EXPECT_FALSE(round.HasAnswer(stranger));
  EXPECT_TRUE(round.refused().empty());
  EXPECT_FALSE(round.Waits(stranger));
  round.Admit(stranger);
  EXPECT_TRUE(round.Waits(stranger));
}

TEST(RoundTest, AdmittedSiteIsWaitedForAgainAfterARefusal) {
  Round round = Open();
  round.Refuse(kA, "away");
  EXPECT_FALSE(round.Waits(kA));
  round.Admit(kA);
  EXPECT_TRUE(round.Waits(kA));
}

}  // namespace
}  // namespace hilum
