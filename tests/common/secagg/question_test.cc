// SPDX-License-Identifier: Apache-2.0
// Attacks by a coordinator with its question, with the vectors that it shows,
// and with the sites' checksums of the last sum.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "common/crypto/secure_rng.h"
#include "common/crypto/x25519.h"
#include "common/secagg/derive.h"
#include "tests/common/secagg/cohort.h"
#include "tests/support/seeded_secure_rng.h"

namespace hilum {
namespace {

using Step = SecAggServer::Step;
using testing::HasSubstr;

void ExpectDenied(const absl::Status& status, const std::string& why) {
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(why));
}

SiteId Site(int i) { return Consortium::Site(i); }

SecAggContext AskedElse() {
  SecAggContext context = Consortium::Context(4);
  context.question = std::string(32, 'x');
  return context;
}

std::string Of(const SecretBytes& secret) {
  return std::string(secret.ExposeBytes().begin(), secret.ExposeBytes().end());
}

class QuestionTest : public testing::Test {
 protected:
  // Returns s1 with another question.
  std::unique_ptr<SecAggClient> OtherS1() {
    return std::make_unique<SecAggClient>(
        AskedElse(), Site(1), Consortium::Get().Of(Site(1)), RealSecureRng());
  }
  // Returns the roster of a coordinator that asks s1 another question.
  v1::Roster RosterWith(const v1::RoundKeys& keys_of_s1) {
    EXPECT_TRUE(cohort_.AdvertiseKeys().ok());
    v1::Roster roster = cohort_.server().roster();
    *roster.mutable_entries(1)->mutable_keys() = keys_of_s1;
    return roster;
  }

  Cohort cohort_{4};
};

TEST_F(QuestionTest, PeerThatWasAskedSomethingElseIsNamedWithBothSignatures) {
  auto other = OtherS1();
  const v1::RoundKeys theirs = other->AdvertiseKeys().value();
  const v1::Roster roster = RosterWith(theirs);
  const absl::Status here = cohort_.client(Site(0)).ShareKeys(roster).status();
  ExpectDenied(here, "s1 was asked something else than this site");
  ExpectDenied(here, absl::BytesToHexString(theirs.question()));
  ExpectDenied(here, absl::BytesToHexString(theirs.signature()));
  ExpectDenied(here, absl::BytesToHexString(std::string(32, 'q')));
  ExpectDenied(here,
               absl::BytesToHexString(roster.entries(0).keys().signature()));
  // The other site checks the first peer of the roster.
  ExpectDenied(other->ShareKeys(roster).status(),
               "s0 was asked something else than this site");
}

TEST_F(QuestionTest, CoordinatorCannotSayWhatAPeerWasAsked) {
  v1::RoundKeys theirs = OtherS1()->AdvertiseKeys().value();
  theirs.set_question(std::string(32, 'q'));
  ExpectDenied(cohort_.client(Site(0)).ShareKeys(RosterWith(theirs)).status(),
               "has keys that s1 did not sign");
}

TEST_F(QuestionTest, CoordinatorTakesNoKeysForAnotherQuestion) {
  const v1::RoundKeys theirs = OtherS1()->AdvertiseKeys().value();
  const absl::Status status = cohort_.server().OnKeys(Site(1), theirs);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("another question"));
}

// No mask of the two sites cancels, even if no site checked the roster.
TEST_F(QuestionTest, MasksOfSitesThatWereAskedDifferentlyDoNotCancel) {
  SeededSecureRng rng(1, "questions");
  const X25519KeyPair a = X25519KeyPair::Generate(rng);
  const X25519KeyPair b = X25519KeyPair::Generate(rng);
  const std::string roster_hash(32, 'r');
  auto seed = [&](const SecAggContext& context, const X25519KeyPair& own,
                  const X25519KeyPair& other) {
    return PairwiseMaskSeed(context, roster_hash, own, other.public_key(),
                            Site(0), Site(1))
        .value();
  };
  const SecAggContext asked = Consortium::Context(4), else_asked = AskedElse();
  EXPECT_EQ(Of(seed(asked, a, b)), Of(seed(asked, b, a)));
  EXPECT_NE(Of(seed(asked, a, b)), Of(seed(else_asked, b, a)));
  std::vector<uint32_t> alike(64), differently(64);
  for (const bool same : {true, false}) {
    MaskStream first(seed(asked, a, b), PairwiseSign(Site(0), Site(1)));
    MaskStream second(seed(same ? asked : else_asked, b, a),
                      PairwiseSign(Site(1), Site(0)));
    std::vector<uint32_t>& sum = same ? alike : differently;
    first.Apply(0, absl::MakeSpan(sum));
    second.Apply(0, absl::MakeSpan(sum));
  }
  EXPECT_THAT(alike, testing::Each(0u));
  // A word is 0 by chance with probability 2^-32.
  EXPECT_THAT(differently, testing::Each(testing::Ne(0u)));
}

TEST_F(QuestionTest, NothingOfOneQuestionIsGoodForAnother) {
  const SecAggContext asked = Consortium::Context(4), else_asked = AskedElse();
  SeededSecureRng rng(1, "questions");
  const SecretBytes secret = SecretBytes::Random(rng, 32);
  const X25519KeyPair key = X25519KeyPair::Generate(rng);
  const std::string peer = X25519KeyPair::Generate(rng).public_key();
  auto all = [&](const SecAggContext& context) {
    return std::vector<std::string>{
        KeysStatement(context, Site(0), {}),
        SelfMaskCommitment(context, Site(0), std::string(32, 'b')),
        Of(SelfMaskSeed(context, secret)),
        Of(SealingKey(context, "r", key, peer, Site(0), Site(1)).value()),
        VectorStatement(context, Site(0), "r", context.cohort, "c", "v"),
        SurvivorsStatement(context, "r", context.cohort, {})};
  };
  const std::vector<std::string> here = all(asked), there = all(else_asked);
  for (size_t i = 0; i < here.size(); ++i) EXPECT_NE(here[i], there[i]) << i;
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
    return cohort_.client(Site(site)).Confirm(survivors_).status();
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

// A colluding site gives two vectors, one to each half of the others: each is
// valid, but the confirmations disagree.
TEST_F(ShownVectorsTest, TwoVectorsOfOneSiteAreSeenBeforeAnythingIsRevealed) {
  v1::Survivors other = survivors_;
  v1::SurvivorVector& vector = *other.mutable_vectors(3);
  vector.set_sha256(std::string(32, 'v'));
  vector.set_signature(
      Consortium::Get().Of(Site(3)).signer->Sign(VectorStatement(
          cohort_.context(), Site(3), RosterHash(cohort_.server().roster()),
          cohort_.context().cohort, vector.self_mask_commitment(),
          vector.sha256())));
  v1::Confirmations confirmations;
  for (int i = 0; i < 3; ++i) {
    auto confirmation =
        cohort_.client(Site(i)).Confirm(i == 0 ? other : survivors_);
    ASSERT_TRUE(confirmation.ok()) << confirmation.status();
    v1::Confirmations::Entry& entry = *confirmations.add_entries();
    entry.set_site(Site(i).name());
    entry.set_signature(confirmation->signature());
  }
  for (int i = 0; i < 3; ++i) {
    ExpectDenied(cohort_.client(Site(i)).Unmask(confirmations).status(),
                 "tells sites different things");
  }
}

TEST_F(ShownVectorsTest, VectorThatItsSiteDidNotSignIsItsSendersAlone) {
  Cohort cohort(4);
  ASSERT_TRUE(cohort.AdvertiseKeys().ok());
  ASSERT_TRUE(cohort.ShareKeys().ok());
  SecAggClient& client = cohort.client(Site(0));
  ASSERT_TRUE(client.MaskedInput(cohort.server().InboxFor(Site(0))).ok());
  const std::string digest(32, 'v');
  const std::string signature = client.SignVector(digest);
  SecAggServer& server = cohort.server();
  EXPECT_EQ(
      server.OnMaskedInput(Site(0), std::string(32, 'w'), signature).code(),
      absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(server.OnMaskedInput(Site(1), digest, signature).code(),
            absl::StatusCode::kUnauthenticated);
  EXPECT_TRUE(server.answered().empty());
  EXPECT_TRUE(server.OnMaskedInput(Site(0), digest, signature).ok());
}

// --- What sites say of the last sum, in their keys.

TEST(ChecksumInKeysTest, ChecksumOfAPeerChangedInTheRosterIsSeen) {
  const SecAggContext context = Consortium::Context(3);
  SecAggServer server(context, Consortium::Get().verifier());
  std::map<SiteId, std::unique_ptr<SecAggClient>> clients;
  for (const SiteId& site : context.cohort) {
    clients[site] = std::make_unique<SecAggClient>(
        context, site, Consortium::Get().Of(site), RealSecureRng());
    const std::string checksum = site == Site(2) ? "" : std::string(16, 'c');
    ASSERT_TRUE(
        server.OnKeys(site, clients[site]->AdvertiseKeys(checksum).value())
            .ok());
  }
  ASSERT_TRUE(server.Close().ok());
  v1::Roster roster = server.roster();
  EXPECT_EQ(roster.entries(1).keys().checksum(), std::string(16, 'c'));
  ASSERT_TRUE(clients[Site(2)]->ShareKeys(roster).ok());
  roster.mutable_entries(1)->mutable_keys()->mutable_checksum()->back() ^= 1;
  EXPECT_NE(RosterHash(roster), RosterHash(server.roster()));
  ExpectDenied(clients[Site(0)]->ShareKeys(roster).status(),
               "has keys that s1 did not sign");
  ExpectDenied(clients[Site(1)]->ShareKeys(roster).status(),
               "other keys for this site than it gave");
}

}  // namespace
}  // namespace hilum
