// SPDX-License-Identifier: Apache-2.0
// A site's checks of the roster before it shares its keys.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "common/crypto/secure_rng.h"
#include "common/crypto/x25519.h"
#include "tests/common/secagg/step_test.h"

namespace hilum {
namespace {

using ClientShareKeysTest = StepTest;

TEST_F(ClientShareKeysTest, SwappedKeyInTheRosterIsSeen) {
  UpTo(cohort_, Step::kShareKeys);
  v1::Roster roster = cohort_.server().roster();
  roster.mutable_entries(2)->mutable_keys()->set_mask_key(
      X25519KeyPair::Generate(RealSecureRng()).public_key());
  ExpectDenied(cohort_.client(Site(0)).ShareKeys(roster).status(),
               "did not sign");
}

TEST_F(ClientShareKeysTest, OwnKeysSwappedAreSeen) {
  UpTo(cohort_, Step::kShareKeys);
  v1::Roster roster = cohort_.server().roster();
  *roster.mutable_entries(0)->mutable_keys() = roster.entries(1).keys();
  ExpectDenied(cohort_.client(Site(0)).ShareKeys(roster).status(),
               "other keys for this site");
}

TEST_F(ClientShareKeysTest, SiteShownUnderAnothersNameIsSeen) {
  UpTo(cohort_, Step::kShareKeys);
  v1::Roster roster = cohort_.server().roster();
  *roster.mutable_entries(2)->mutable_keys() = roster.entries(3).keys();
  ExpectDenied(cohort_.client(Site(0)).ShareKeys(roster).status(),
               "did not sign");
}

TEST_F(ClientShareKeysTest, StrangerAndDoubledSiteInTheRosterAreSeen) {
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

TEST_F(ClientShareKeysTest, KeysOfAnotherRoundOrStudyAreSeen) {
  Cohort old(4, 37, /*round=*/7);
  UpTo(old, Step::kShareKeys);
  UpTo(cohort_, Step::kShareKeys);
  v1::Roster roster = cohort_.server().roster();
  *roster.mutable_entries(1) = old.server().roster().entries(1);
  ExpectDenied(cohort_.client(Site(0)).ShareKeys(roster).status(),
               "did not sign");
}

TEST_F(ClientShareKeysTest, RosterBelowTheThresholdIsRefused) {
  UpTo(cohort_, Step::kShareKeys);
  v1::Roster roster = cohort_.server().roster();
  roster.mutable_entries()->DeleteSubrange(2, 2);
  ExpectDenied(cohort_.client(Site(0)).ShareKeys(roster).status(),
               "of at least 3");
}

// --- Sites that were asked different things.

class QuestionTest : public testing::Test {
 protected:
  // The roster that a coordinator would show that asks s1 something else.
  v1::Roster RosterWith(const v1::RoundKeys& keys_of_s1) {
    EXPECT_TRUE(cohort_.AdvertiseKeys().ok());
    v1::Roster roster = cohort_.server().roster();
    *roster.mutable_entries(1)->mutable_keys() = keys_of_s1;
    return roster;
  }

  Cohort cohort_{4};
};

TEST_F(QuestionTest, PeerThatWasAskedSomethingElseIsNamedWithBothSignatures) {
  auto other = AskedElse(Consortium::Site(1));
  const v1::RoundKeys theirs = other->AdvertiseKeys().value();
  const v1::Roster roster = RosterWith(theirs);
  const absl::Status here =
      cohort_.client(Consortium::Site(0)).ShareKeys(roster).status();
  ExpectDenied(here, "s1 was asked something else than this site");
  ExpectDenied(here, absl::BytesToHexString(theirs.question()));
  ExpectDenied(here, absl::BytesToHexString(theirs.signature()));
  ExpectDenied(here, absl::BytesToHexString(std::string(32, 'q')));
  ExpectDenied(here,
               absl::BytesToHexString(roster.entries(0).keys().signature()));
  // The other side sees the first peer of the roster.
  ExpectDenied(other->ShareKeys(roster).status(),
               "s0 was asked something else than this site");
}

TEST_F(QuestionTest, CoordinatorCannotSayWhatAPeerWasAsked) {
  v1::RoundKeys theirs =
      AskedElse(Consortium::Site(1))->AdvertiseKeys().value();
  theirs.set_question(std::string(32, 'q'));
  ExpectDenied(cohort_.client(Consortium::Site(0))
                   .ShareKeys(RosterWith(theirs))
                   .status(),
               "has keys that s1 did not sign");
}

// --- What sites say of the last sum, in their keys.

TEST(ChecksumInKeysTest, ChecksumOfAPeerChangedInTheRosterIsSeen) {
  const SecAggContext context = Consortium::Context(3);
  SecAggServer server(context, Consortium::Get().verifier());
  std::map<SiteId, std::unique_ptr<SecAggClient>> clients;
  for (const SiteId& site : context.cohort) {
    clients[site] = std::make_unique<SecAggClient>(
        context, site, Consortium::Get().Of(site), RealSecureRng());
    const std::string checksum =
        site == Consortium::Site(2) ? "" : std::string(16, 'c');
    ASSERT_TRUE(
        server.OnKeys(site, clients[site]->AdvertiseKeys(checksum).value())
            .ok());
  }
  ASSERT_TRUE(server.Close().ok());
  v1::Roster roster = server.roster();
  EXPECT_EQ(roster.entries(1).keys().checksum(), std::string(16, 'c'));
  ASSERT_TRUE(clients[Consortium::Site(2)]->ShareKeys(roster).ok());
  roster.mutable_entries(1)->mutable_keys()->mutable_checksum()->back() ^= 1;
  EXPECT_NE(RosterHash(roster), RosterHash(server.roster()));
  ExpectDenied(clients[Consortium::Site(0)]->ShareKeys(roster).status(),
               "has keys that s1 did not sign");
  ExpectDenied(clients[Consortium::Site(1)]->ShareKeys(roster).status(),
               "other keys for this site than it gave");
}

}  // namespace
}  // namespace hilum
