// SPDX-License-Identifier: Apache-2.0
// Attacks by a coordinator, and faults of a single site.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/rng.h"
#include "common/crypto/secure_rng.h"
#include "common/crypto/x25519.h"
#include "tests/common/secagg/cohort.h"

namespace hilum {
namespace {

using Step = SecAggServer::Step;
using testing::HasSubstr;

void ExpectDenied(const absl::Status& status, const std::string& why) {
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(why));
}

class AdversaryTest : public testing::Test {
 protected:
  static SiteId Site(int i) { return Consortium::Site(i); }
  void UpTo(Cohort& cohort, Step step) {
    if (step > Step::kAdvertiseKeys) {
      ASSERT_TRUE(cohort.AdvertiseKeys().ok());
    }
    if (step > Step::kShareKeys) {
      ASSERT_TRUE(cohort.ShareKeys().ok());
    }
    if (step > Step::kMaskedInput) {
      ASSERT_TRUE(cohort.MaskedInput().ok());
    }
    if (step > Step::kConfirm) {
      ASSERT_TRUE(cohort.Confirm().ok());
    }
  }

  Cohort cohort_{4};
};

TEST_F(AdversaryTest, SwappedKeyInTheRosterIsSeen) {
  UpTo(cohort_, Step::kShareKeys);
  v1::Roster roster = cohort_.server().roster();
  roster.mutable_entries(2)->mutable_keys()->set_mask_key(
      X25519KeyPair::Generate(RealSecureRng()).public_key());
  ExpectDenied(cohort_.client(Site(0)).ShareKeys(roster).status(),
               "did not sign");
}

TEST_F(AdversaryTest, OwnKeysSwappedAreSeen) {
  UpTo(cohort_, Step::kShareKeys);
  v1::Roster roster = cohort_.server().roster();
  *roster.mutable_entries(0)->mutable_keys() = roster.entries(1).keys();
  ExpectDenied(cohort_.client(Site(0)).ShareKeys(roster).status(),
               "other keys for this site");
}

TEST_F(AdversaryTest, SiteShownUnderAnothersNameIsSeen) {
  UpTo(cohort_, Step::kShareKeys);
  v1::Roster roster = cohort_.server().roster();
  *roster.mutable_entries(2)->mutable_keys() = roster.entries(3).keys();
  ExpectDenied(cohort_.client(Site(0)).ShareKeys(roster).status(),
               "did not sign");
}

TEST_F(AdversaryTest, StrangerAndDoubledSiteInTheRosterAreSeen) {
  UpTo(cohort_, Step::kShareKeys);
  v1::Roster stranger = cohort_.server().roster();
  stranger.mutable_entries(3)->set_site("s9");
  ExpectDenied(cohort_.client(Site(0)).ShareKeys(stranger).status(),
               "not of the study");
  v1::Roster doubled = cohort_.server().roster();
  *doubled.mutable_entries(3) = doubled.entries(2);
  EXPECT_EQ(cohort_.client(Site(1)).ShareKeys(doubled).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(AdversaryTest, KeysOfAnotherRoundOrStudyAreSeen) {
  Cohort old(4, 37, /*round=*/7);
  UpTo(old, Step::kShareKeys);
  UpTo(cohort_, Step::kShareKeys);
  v1::Roster roster = cohort_.server().roster();
  *roster.mutable_entries(1) = old.server().roster().entries(1);
  ExpectDenied(cohort_.client(Site(0)).ShareKeys(roster).status(),
               "did not sign");
}

TEST_F(AdversaryTest, RosterBelowTheThresholdIsRefused) {
  UpTo(cohort_, Step::kShareKeys);
  v1::Roster roster = cohort_.server().roster();
  roster.mutable_entries()->DeleteSubrange(2, 2);
  ExpectDenied(cohort_.client(Site(0)).ShareKeys(roster).status(),
               "of at least 3");
}

TEST_F(AdversaryTest, SharesFromTooFewAreRefused) {
  UpTo(cohort_, Step::kMaskedInput);
  v1::Inbox inbox = cohort_.server().InboxFor(Site(0));
  inbox.mutable_shares()->DeleteSubrange(1, 2);
  ExpectDenied(cohort_.client(Site(0)).MaskedInput(inbox), "of at least 3");
}

TEST_F(AdversaryTest, SurvivorsBelowTheThresholdAreNotConfirmed) {
  UpTo(cohort_, Step::kConfirm);
  v1::Survivors survivors = cohort_.server().SurvivorsMessage();
  Remove(3, survivors);
  Remove(2, survivors);
  ExpectDenied(cohort_.client(Site(0)).Confirm(survivors).status(),
               "a sum of 2 sites");
}

TEST_F(AdversaryTest, SurvivorWhoNeverSharedIsNotConfirmed) {
  cohort_.Leave(Site(3), Step::kShareKeys);
  UpTo(cohort_, Step::kConfirm);
  v1::Survivors survivors = cohort_.server().SurvivorsMessage();
  survivors.add_sites("s3");
  survivors.add_vectors();
  ExpectDenied(cohort_.client(Site(0)).Confirm(survivors).status(),
               "has not shared");
}

TEST_F(AdversaryTest, SurvivorsWithoutThisSiteAreNotConfirmed) {
  UpTo(cohort_, Step::kConfirm);
  v1::Survivors survivors = cohort_.server().SurvivorsMessage();
  Remove(0, survivors);
  ExpectDenied(cohort_.client(Site(0)).Confirm(survivors).status(),
               "leave out this site");
}

TEST_F(AdversaryTest, SecondListOfSurvivorsIsRefused) {
  UpTo(cohort_, Step::kConfirm);
  v1::Survivors survivors = cohort_.server().SurvivorsMessage();
  ASSERT_TRUE(cohort_.client(Site(0)).Confirm(survivors).ok());
  Remove(3, survivors);
  EXPECT_EQ(cohort_.client(Site(0)).Confirm(survivors).status().code(),
            absl::StatusCode::kFailedPrecondition);
  // The client reveals nothing any more.
  EXPECT_FALSE(cohort_.client(Site(0)).Unmask(v1::Confirmations()).ok());
}

// Confirm prevents this attack: the coordinator names different survivors to
// different sites, so that one group reveals a site's own mask and the other
// its mask key.
TEST_F(AdversaryTest, EquivocationOnSurvivorsIsSeenBeforeAnythingIsRevealed) {
  UpTo(cohort_, Step::kConfirm);
  v1::Survivors all = cohort_.server().SurvivorsMessage();
  v1::Survivors some = all;
  Remove(3, some);
  v1::Confirmations confirmations;
  for (int i = 0; i < 3; ++i) {
    auto confirmation = cohort_.client(Site(i)).Confirm(i == 0 ? all : some);
    ASSERT_TRUE(confirmation.ok());
    v1::Confirmations::Entry& entry = *confirmations.add_entries();
    entry.set_site(Site(i).name());
    entry.set_signature(confirmation->signature());
  }
  for (int i = 0; i < 3; ++i) {
    ExpectDenied(cohort_.client(Site(i)).Unmask(confirmations).status(),
                 "tells sites different things");
  }
}

// Sites that were shown different sharers mask differently. One of them sees it
// from another's signature: s0 is not told that s3 shared.
TEST_F(AdversaryTest, EquivocationOnSharersIsSeenBeforeAnythingIsConfirmed) {
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

TEST_F(AdversaryTest, TooFewConfirmationsRevealNothing) {
  UpTo(cohort_, Step::kUnmask);
  v1::Confirmations confirmations = cohort_.server().confirmations();
  confirmations.mutable_entries()->DeleteSubrange(2, 2);
  ExpectDenied(cohort_.client(Site(0)).Unmask(confirmations).status(),
               "only 2 sites have confirmed");
}

TEST_F(AdversaryTest, OneConfirmationCountedTwiceIsSeen) {
  UpTo(cohort_, Step::kUnmask);
  v1::Confirmations confirmations = cohort_.server().confirmations();
  *confirmations.mutable_entries(3) = confirmations.entries(2);
  *confirmations.mutable_entries(1) = confirmations.entries(2);
  EXPECT_FALSE(cohort_.client(Site(0)).Unmask(confirmations).ok());
}

TEST_F(AdversaryTest, SharesAreRevealedOnce) {
  UpTo(cohort_, Step::kUnmask);
  const v1::Confirmations& confirmations = cohort_.server().confirmations();
  ASSERT_TRUE(cohort_.client(Site(0)).Unmask(confirmations).ok());
  EXPECT_EQ(cohort_.client(Site(0)).Unmask(confirmations).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(AdversaryTest, NeverBothSharesOfOneSite) {
  cohort_.Leave(Site(3), Step::kMaskedInput);
  UpTo(cohort_, Step::kUnmask);
  for (int i = 0; i < 3; ++i) {
    auto revealed =
        cohort_.client(Site(i)).Unmask(cohort_.server().confirmations());
    ASSERT_TRUE(revealed.ok());
    ASSERT_EQ(revealed->shares_size(), 4);
    for (int v = 0; v < 4; ++v) {
      EXPECT_EQ(revealed->shares(v).site(), Site(v).name());
      EXPECT_EQ(revealed->shares(v).self_mask(), v != 3);
    }
  }
}

TEST_F(AdversaryTest, SelectiveDropLeavesTheSumOfTheOthers) {
  UpTo(cohort_, Step::kMaskedInput);
  // The coordinator pretends that s3's vector never came.
  cohort_.Leave(Site(3), Step::kMaskedInput);
  ASSERT_TRUE(cohort_.MaskedInput().ok());
  ASSERT_TRUE(cohort_.Confirm().ok());
  ASSERT_TRUE(cohort_.Unmask().ok());
  EXPECT_EQ(cohort_.Sum().value(),
            cohort_.PlainSum({Site(0), Site(1), Site(2)}));
}

// --- One bad site.

TEST_F(AdversaryTest, OneWrongShareIsMadeUpForByTheOthers) {
  UpTo(cohort_, Step::kUnmask);
  for (int i = 0; i < 4; ++i) {
    auto revealed =
        cohort_.client(Site(i)).Unmask(cohort_.server().confirmations());
    ASSERT_TRUE(revealed.ok());
    if (i == 1) {
      for (v1::RevealedShare& share : *revealed->mutable_shares()) {
        share.mutable_share()->front() ^= 1;
      }
    }
    ASSERT_TRUE(cohort_.server().OnRevealed(Site(i), *revealed).ok());
  }
  ASSERT_TRUE(cohort_.server().Close().ok());
  EXPECT_EQ(cohort_.Sum().value(),
            cohort_.PlainSum(Consortium::Context(4).cohort));
}

TEST_F(AdversaryTest, MoreWrongSharesThanThatGiveNoSum) {
  UpTo(cohort_, Step::kUnmask);
  for (int i = 0; i < 4; ++i) {
    auto revealed =
        cohort_.client(Site(i)).Unmask(cohort_.server().confirmations());
    if (i % 2 == 1) {
      revealed->mutable_shares(0)->mutable_share()->front() ^= 1;
    }
    ASSERT_TRUE(cohort_.server().OnRevealed(Site(i), *revealed).ok());
  }
  ASSERT_TRUE(cohort_.server().Close().ok());
  EXPECT_EQ(cohort_.Sum().status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(AdversaryTest, SealedShareThatDoesNotOpenCostsNobodyTheSum) {
  UpTo(cohort_, Step::kShareKeys);
  for (int i = 0; i < 4; ++i) {
    auto shares = cohort_.client(Site(i)).ShareKeys(cohort_.server().roster());
    ASSERT_TRUE(shares.ok());
    if (i == 2) shares->mutable_shares(0)->mutable_sealed()->back() ^= 1;
    ASSERT_TRUE(cohort_.server().OnShares(Site(i), *shares).ok());
  }
  ASSERT_TRUE(cohort_.server().Close().ok());
  ASSERT_TRUE(cohort_.MaskedInput().ok());
  ASSERT_TRUE(cohort_.Confirm().ok());
  ASSERT_TRUE(cohort_.Unmask().ok());
  EXPECT_EQ(cohort_.Sum().value(),
            cohort_.PlainSum(Consortium::Context(4).cohort));
}

TEST_F(AdversaryTest, MalformedMessagesAreTheirSendersAlone) {
  SecAggServer& server = cohort_.server();
  auto keys = cohort_.client(Site(0)).AdvertiseKeys();
  ASSERT_TRUE(keys.ok());
  EXPECT_EQ(server.OnKeys(Site(1), *keys).code(),
            absl::StatusCode::kUnauthenticated);
  v1::RoundKeys cut = *keys;
  cut.mutable_mask_key()->pop_back();
  EXPECT_EQ(server.OnKeys(Site(0), cut).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(server.OnKeys(SiteId("s9"), *keys).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(server.OnKeys(Site(0), *keys).ok());
  EXPECT_EQ(server.OnShares(Site(0), v1::SealedShares()).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(server.answered(), testing::ElementsAre(Site(0)));
}

// The key is validly signed; in the roster it would end the sum for all others.
TEST_F(AdversaryTest, KeyOfSmallOrderIsItsSendersAlone) {
  auto keys = cohort_.client(Site(0)).AdvertiseKeys();
  ASSERT_TRUE(keys.ok());
  for (bool mask : {true, false}) {
    v1::RoundKeys zero = *keys;
    (mask ? zero.mutable_mask_key() : zero.mutable_share_key())
        ->assign(32, '\0');
    zero.set_signature(Consortium::Get().Of(Site(0)).signer->Sign(
        KeysStatement(Consortium::Context(4), Site(0), zero)));
    EXPECT_EQ(cohort_.server().OnKeys(Site(0), zero).code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(AdversaryTest, TruncatedAndMissingSharesAreRefused) {
  UpTo(cohort_, Step::kShareKeys);
  auto shares = cohort_.client(Site(0)).ShareKeys(cohort_.server().roster());
  ASSERT_TRUE(shares.ok());
  v1::SealedShares cut = *shares;
  cut.mutable_shares(1)->mutable_sealed()->pop_back();
  EXPECT_EQ(cohort_.server().OnShares(Site(0), cut).code(),
            absl::StatusCode::kInvalidArgument);
  cut = *shares;
  cut.mutable_shares()->RemoveLast();
  EXPECT_EQ(cohort_.server().OnShares(Site(0), cut).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(AdversaryTest, ConfirmationOfAnotherListIsItsSendersAlone) {
  UpTo(cohort_, Step::kConfirm);
  v1::Survivors some = cohort_.server().SurvivorsMessage();
  Remove(3, some);
  auto confirmation = cohort_.client(Site(0)).Confirm(some);
  ASSERT_TRUE(confirmation.ok());
  EXPECT_EQ(cohort_.server().OnConfirmation(Site(0), *confirmation).code(),
            absl::StatusCode::kUnauthenticated);
}

}  // namespace
}  // namespace hilum
