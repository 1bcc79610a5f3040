// SPDX-License-Identifier: Apache-2.0
// A site's checks before it confirms whose vectors are in the sum.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/common/secagg/step_test.h"

namespace hilum {
namespace {

using ClientConfirmTest = StepTest;

TEST_F(ClientConfirmTest, SurvivorsBelowTheThresholdAreNotConfirmed) {
  UpTo(cohort_, Step::kConfirm);
  v1::Survivors survivors = cohort_.server().SurvivorsMessage();
  Remove(3, survivors);
  Remove(2, survivors);
  ExpectDenied(cohort_.client(Site(0)).Confirm(survivors).status(),
               "a sum of 2 sites");
}

TEST_F(ClientConfirmTest, SurvivorWhoNeverSharedIsNotConfirmed) {
  cohort_.Leave(Site(3), Step::kShareKeys);
  UpTo(cohort_, Step::kConfirm);
  v1::Survivors survivors = cohort_.server().SurvivorsMessage();
  survivors.add_sites("s3");
  survivors.add_vectors();
  ExpectDenied(cohort_.client(Site(0)).Confirm(survivors).status(),
               "has not shared");
}

TEST_F(ClientConfirmTest, SurvivorsWithoutThisSiteAreNotConfirmed) {
  UpTo(cohort_, Step::kConfirm);
  v1::Survivors survivors = cohort_.server().SurvivorsMessage();
  Remove(0, survivors);
  ExpectDenied(cohort_.client(Site(0)).Confirm(survivors).status(),
               "leave out this site");
}

TEST_F(ClientConfirmTest, SecondListOfSurvivorsIsRefused) {
  UpTo(cohort_, Step::kConfirm);
  v1::Survivors survivors = cohort_.server().SurvivorsMessage();
  ASSERT_TRUE(cohort_.client(Site(0)).Confirm(survivors).ok());
  Remove(3, survivors);
  EXPECT_EQ(cohort_.client(Site(0)).Confirm(survivors).status().code(),
            absl::StatusCode::kFailedPrecondition);
  // And it reveals nothing any more.
  EXPECT_FALSE(cohort_.client(Site(0)).Unmask(v1::Confirmations()).ok());
}

// Sites that were shown different sharers mask differently, which shows as soon
// as one sees what another signed: s0 is not told that s3 shared.
TEST_F(ClientConfirmTest,
       EquivocationOnSharersIsSeenBeforeAnythingIsConfirmed) {
  UpTo(cohort_, Step::kMaskedInput);
  v1::Survivors survivors;
  for (int i = 0; i < 3; ++i) {
    v1::Inbox inbox = cohort_.server().InboxFor(Site(i));
    if (i == 0) inbox.mutable_shares()->DeleteSubrange(2, 1);
    ASSERT_TRUE(cohort_.client(Site(i)).MaskedInput(inbox).ok());
    survivors.add_sites(Site(i).name());
    v1::SurvivorVector& vector = *survivors.add_vectors();
    vector.set_sha256(std::string(32, static_cast<char>('0' + i)));
    vector.set_signature(cohort_.client(Site(i)).SignVector(vector.sha256()));
    vector.set_self_mask_commitment(cohort_.commitment(Site(i)));
  }
  ExpectDenied(cohort_.client(Site(0)).Confirm(survivors).status(),
               "a vector that s1 did not sign");
  for (int i = 1; i < 3; ++i) {
    ExpectDenied(cohort_.client(Site(i)).Confirm(survivors).status(),
                 "a vector that s0 did not sign");
  }
}

// --- What the sites are shown of each other's vectors.

class ShownVectorsTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(cohort_.AdvertiseKeys().ok());
    ASSERT_TRUE(cohort_.ShareKeys().ok());
    ASSERT_TRUE(cohort_.MaskedInput().ok());
    survivors_ = cohort_.server().SurvivorsMessage();
  }
  absl::Status ConfirmedBy(int site) {
    return cohort_.client(Consortium::Site(site)).Confirm(survivors_).status();
  }

  Cohort cohort_{4};
  v1::Survivors survivors_;
};

TEST_F(ShownVectorsTest, VectorSwappedAfterItsSiteSignedIsSeen) {
  survivors_.mutable_vectors(2)->set_sha256(std::string(32, 'v'));
  ExpectDenied(ConfirmedBy(0), "a vector that s2 did not sign");
  ExpectDenied(ConfirmedBy(2), "another vector of this site than it gave");
}

TEST_F(ShownVectorsTest, VectorShownUnderAnothersNameIsSeen) {
  *survivors_.mutable_vectors(2) = survivors_.vectors(1);
  ExpectDenied(ConfirmedBy(0), "a vector that s2 did not sign");
}

TEST_F(ShownVectorsTest, AnotherCommitmentToAnOwnMaskIsSeen) {
  survivors_.mutable_vectors(2)->set_self_mask_commitment(std::string(32, 'c'));
  ExpectDenied(ConfirmedBy(0), "a vector that s2 did not sign");
  ExpectDenied(ConfirmedBy(2), "another vector of this site than it gave");
}

TEST_F(ShownVectorsTest, SurvivorsWithoutTheirVectorsAreNotConfirmed) {
  survivors_.mutable_vectors()->RemoveLast();
  EXPECT_EQ(ConfirmedBy(0).code(), absl::StatusCode::kInvalidArgument);
}

// Two vectors of a site that colludes, one to each half of the others: each
// passes, and what they confirm does not fit together.
TEST_F(ShownVectorsTest, TwoVectorsOfOneSiteAreSeenBeforeAnythingIsRevealed) {
  v1::Survivors other = survivors_;
  v1::SurvivorVector& vector = *other.mutable_vectors(3);
  vector.set_sha256(std::string(32, 'v'));
  vector.set_signature(
      Consortium::Get()
          .Of(Consortium::Site(3))
          .signer->Sign(VectorStatement(
              cohort_.context(), Consortium::Site(3),
              RosterHash(cohort_.server().roster()), cohort_.context().cohort,
              vector.self_mask_commitment(), vector.sha256())));
  v1::Confirmations confirmations;
  for (int i = 0; i < 3; ++i) {
    auto confirmation = cohort_.client(Consortium::Site(i))
                            .Confirm(i == 0 ? other : survivors_);
    ASSERT_TRUE(confirmation.ok()) << confirmation.status();
    v1::Confirmations::Entry& entry = *confirmations.add_entries();
    entry.set_site(Consortium::Site(i).name());
    entry.set_signature(confirmation->signature());
  }
  for (int i = 0; i < 3; ++i) {
    ExpectDenied(
        cohort_.client(Consortium::Site(i)).Unmask(confirmations).status(),
        "tells sites different things");
  }
}

}  // namespace
}  // namespace hilum
