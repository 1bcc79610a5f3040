// SPDX-License-Identifier: Apache-2.0
// The published opening of a sum, and forgeries of its parts.
#include "common/secagg/opening.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "common/crypto/x25519.h"
#include "tests/common/secagg/cohort.h"
#include "tests/support/seeded_secure_rng.h"

namespace hilum {
namespace {

using Step = SecAggServer::Step;
using testing::HasSubstr;

constexpr uint64_t kSeed = 1;

// A sum of five sites, t = 4; s4 is lost after it has shared.
class OpeningTest : public testing::Test {
 protected:
  static SiteId Site(int i) { return Consortium::Site(i); }

  void SetUp() override {
    cohort_.Leave(Site(4), Step::kMaskedInput);
    ASSERT_TRUE(cohort_.Run().ok());
    opening_ = cohort_.server().Open().value();
  }

  absl::Status Check() const { return CheckUnder(cohort_.context()); }
  absl::Status CheckUnder(const SecAggContext& context) const {
    return CheckOpening(context, Consortium::Get().verifier(), opening_);
  }
  void ExpectRefused(const std::string& why) const {
    const absl::Status status = Check();
    EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(why));
  }
  static std::string Sign(int site, const std::string& statement) {
    return Consortium::Get().Of(Site(site)).signer->Sign(statement);
  }
  std::string Statement() const {
    return StatementOf(cohort_.context(), opening_).value();
  }
  // Signs as a site does that colludes with the coordinator.
  void SignVector(int site) {
    v1::SumOpening::Survivor& survivor = *opening_.mutable_survivors(site);
    std::set<SiteId> sharers;
    for (const std::string& name : opening_.sharers()) sharers.emplace(name);
    survivor.set_signature(
        Sign(site, VectorStatement(cohort_.context(), Site(site),
                                   RosterHash(opening_.roster()), sharers,
                                   survivor.self_mask_commitment(),
                                   survivor.vector().sha256())));
  }
  // Returns the site's mask key, by running the cohort's rng again.
  static std::string MaskKeyOf(int site) {
    SeededSecureRng rng(kSeed, "opening");
    for (int i = 0; i < 2 * site; ++i) X25519KeyPair::Generate(rng);
    const X25519KeyPair key = X25519KeyPair::Generate(rng);
    const SecretBytes secret = key.private_key().Copy();
    return std::string(secret.ExposeBytes().begin(),
                       secret.ExposeBytes().end());
  }

  SeededSecureRng rng_{kSeed, "opening"};
  Cohort cohort_{Consortium::Context(5), 37, rng_};
  v1::SumOpening opening_;
};

TEST_F(OpeningTest, HonestOnePassesAndReadsTheSum) {
  EXPECT_TRUE(Check().ok()) << Check();
  EXPECT_EQ(cohort_.SumAfter(opening_).value(),
            cohort_.PlainSum({Site(0), Site(1), Site(2), Site(3)}));
  EXPECT_EQ(opening_.survivors_size(), 4);
  ASSERT_EQ(opening_.lost_size(), 1);
  EXPECT_EQ(opening_.lost(0).mask_key(), MaskKeyOf(4));
}

TEST_F(OpeningTest, ClaimsAreWhatTheSurvivorsSigned) {
  const auto claims = ClaimsOf(opening_).value();
  ASSERT_EQ(claims.size(), 4u);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(claims.at(Site(i)).vector_sha256,
              DigestOf(cohort_.masked().at(Site(i))));
    EXPECT_EQ(claims.at(Site(i)).self_mask_commitment,
              cohort_.commitment(Site(i)));
  }
}

TEST_F(OpeningTest, AnotherVectorsDigestIsRefused) {
  opening_.mutable_survivors(1)->mutable_vector()->set_sha256(
      opening_.survivors(2).vector().sha256());
  ExpectRefused("has a vector that s1 did not sign");
}

// The vector has its signature, but t sites confirmed the site's first one.
TEST_F(OpeningTest, VectorThatItsSiteSignedAfterwardsIsRefused) {
  opening_.mutable_survivors(1)->mutable_vector()->set_sha256(
      std::string(32, 'v'));
  SignVector(1);
  ExpectRefused("is of a list that s0 has not confirmed");
}

TEST_F(OpeningTest, AnotherCommitmentIsRefused) {
  v1::SumOpening::Survivor& survivor = *opening_.mutable_survivors(1);
  survivor.set_self_mask(std::string(32, 'm'));
  survivor.set_self_mask_commitment(
      SelfMaskCommitment(cohort_.context(), Site(1), survivor.self_mask()));
  ExpectRefused("has a vector that s1 did not sign");
  SignVector(1);
  ExpectRefused("is of a list that s0 has not confirmed");
}

TEST_F(OpeningTest, OwnMaskThatDoesNotFitItsCommitmentIsRefused) {
  opening_.mutable_survivors(2)->mutable_self_mask()->front() ^= 1;
  ExpectRefused("has an own mask of s2 that it did not commit to");
  opening_.mutable_survivors(2)->clear_self_mask();
  ExpectRefused("has an own mask of s2 that it did not commit to");
}

TEST_F(OpeningTest, MaskKeyThatDoesNotFitTheRosterIsRefused) {
  opening_.mutable_lost(0)->set_mask_key(MaskKeyOf(3));
  ExpectRefused("has a mask key of s4 that is not its");
  opening_.mutable_lost(0)->set_mask_key("short");
  ExpectRefused("has a mask key of s4 that is not its");
}

TEST_F(OpeningTest, FewerConfirmationsThanTheThresholdAreRefused) {
  opening_.mutable_confirmations()->mutable_entries()->RemoveLast();
  ExpectRefused("has 3 confirmations, of at least 4");
  *opening_.mutable_confirmations()->add_entries() =
      opening_.confirmations().entries(2);
  EXPECT_EQ(Check().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(OpeningTest, ConfirmationOfASiteThatDidNotSurviveDoesNotCount) {
  v1::Confirmations::Entry& entry =
      *opening_.mutable_confirmations()->mutable_entries(3);
  entry.set_site(Site(4).name());
  entry.set_signature(Sign(4, Statement()));
  ExpectRefused("is of a list that s4 has not confirmed");
}

TEST_F(OpeningTest, ConfirmationOfAnotherSumIsRefused) {
  SecAggContext other = cohort_.context();
  other.round = 2;
  opening_.mutable_confirmations()->mutable_entries(0)->set_signature(
      Sign(0, StatementOf(other, opening_).value()));
  ExpectRefused("is of a list that s0 has not confirmed");
}

TEST_F(OpeningTest, OtherSharersThanTheSitesSawAreRefused) {
  opening_.mutable_sharers()->RemoveLast();
  opening_.clear_lost();
  ExpectRefused("has a vector that s0 did not sign");
}

TEST_F(OpeningTest, SharerOfWhomNothingIsToldIsRefused) {
  opening_.clear_lost();
  ExpectRefused("does not tell what became of each site that shared");
}

// The site's masks would be taken off twice, and the sum would be noise.
TEST_F(OpeningTest, SiteThatIsLostTwiceIsRefused) {
  *opening_.add_lost() = opening_.lost(0);
  EXPECT_NE(cohort_.SumAfter(opening_).value(),
            cohort_.PlainSum({Site(0), Site(1), Site(2), Site(3)}));
  EXPECT_EQ(Check().code(), absl::StatusCode::kInvalidArgument);
}

// The survivor has told the coordinator its key.
TEST_F(OpeningTest, SurvivorThatIsLostAsWellIsRefused) {
  v1::SumOpening::Lost both = opening_.lost(0);
  both.set_site(Site(3).name());
  both.set_mask_key(MaskKeyOf(3));
  opening_.clear_lost();
  *opening_.add_lost() = both;
  *opening_.add_lost() = cohort_.server().Open()->lost(0);
  EXPECT_NE(cohort_.SumAfter(opening_).value(),
            cohort_.PlainSum({Site(0), Site(1), Site(2), Site(3)}));
  ExpectRefused("has s3 as lost and as a survivor");
}

// A colluding survivor tells its key, so that the coordinator can list it as
// lost; the others signed that it is in.
TEST_F(OpeningTest, SurvivorsOfAnotherListAreRefused) {
  SeededSecureRng rng(kSeed, "opening");
  Cohort all(Consortium::Context(5), 37, rng);
  ASSERT_TRUE(all.Run().ok());
  opening_ = all.server().Open().value();
  EXPECT_TRUE(Check().ok()) << Check();
  opening_.mutable_survivors()->RemoveLast();
  ExpectRefused("does not tell what became of each site that shared");
  v1::SumOpening::Lost& lost = *opening_.add_lost();
  lost.set_site(Site(4).name());
  lost.set_mask_key(MaskKeyOf(4));
  ExpectRefused("is of a list that s0 has not confirmed");
}

TEST_F(OpeningTest, FewerSurvivorsThanTheThresholdAreRefused) {
  opening_.mutable_survivors()->RemoveLast();
  ExpectRefused("is of 3 sites, of at least 4");
}

TEST_F(OpeningTest, SurvivorWhoIsNotInTheRosterIsRefused) {
  opening_.mutable_roster()->mutable_entries()->DeleteSubrange(3, 1);
  opening_.mutable_survivors(0)->set_site("s");  // sorted before s0
  ExpectRefused("has a vector of s, which is not in its roster");
}

TEST_F(OpeningTest, SiteThatIsNotOfTheStudyIsRefused) {
  SecAggContext context = cohort_.context();
  context.cohort.erase(Site(2));
  const absl::Status status = CheckUnder(context);
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("names s2, which is not of the study"));
}

TEST_F(OpeningTest, KeysSignedForAnotherQuestionAreRefused) {
  SecAggContext context = cohort_.context();
  context.question.front() ^= 1;
  const absl::Status status = CheckUnder(context);
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("has keys that s0 did not sign for it"));
}

TEST_F(OpeningTest, AnotherRoundOrStudyIsRefused) {
  SecAggContext context = cohort_.context();
  context.round = 2;
  EXPECT_FALSE(CheckUnder(context).ok());
  context = cohort_.context();
  context.study_hash.back() ^= 1;
  EXPECT_FALSE(CheckUnder(context).ok());
}

TEST_F(OpeningTest, ListsThatAreNotSortedAreInvalid) {
  const v1::SumOpening good = opening_;
  for (const std::function<void()>& unsort : std::vector<std::function<void()>>{
           [&] { opening_.mutable_survivors()->SwapElements(0, 1); },
           [&] {
             opening_.mutable_roster()->mutable_entries()->SwapElements(0, 1);
           },
           [&] {
             opening_.mutable_confirmations()->mutable_entries()->SwapElements(
                 0, 1);
           }}) {
    opening_ = good;
    unsort();
    EXPECT_EQ(Check().code(), absl::StatusCode::kInvalidArgument) << Check();
  }
  opening_ = good;
  opening_.mutable_sharers()->SwapElements(0, 1);
  ExpectRefused("does not tell what became of each site that shared");
}

// Changes a bit in the middle of every signed or derived value.
TEST_F(OpeningTest, AnyChangedValueIsRefused) {
  std::vector<std::string*> values;
  for (v1::Roster::Entry& entry :
       *opening_.mutable_roster()->mutable_entries()) {
    v1::RoundKeys& keys = *entry.mutable_keys();
    values.insert(values.end(),
                  {entry.mutable_site(), keys.mutable_mask_key(),
                   keys.mutable_share_key(), keys.mutable_signature(),
                   keys.mutable_certificate()});
  }
  for (v1::SumOpening::Survivor& survivor : *opening_.mutable_survivors()) {
    values.insert(
        values.end(),
        {survivor.mutable_site(), survivor.mutable_vector()->mutable_sha256(),
         survivor.mutable_signature(), survivor.mutable_self_mask(),
         survivor.mutable_self_mask_commitment()});
  }
  for (v1::Confirmations::Entry& entry :
       *opening_.mutable_confirmations()->mutable_entries()) {
    values.insert(values.end(),
                  {entry.mutable_site(), entry.mutable_signature()});
  }
  for (std::string& site : *opening_.mutable_sharers()) values.push_back(&site);
  values.push_back(opening_.mutable_lost(0)->mutable_site());
  values.push_back(opening_.mutable_lost(0)->mutable_mask_key());
  ASSERT_EQ(values.size(), 5u * 5 + 4 * 5 + 4 * 2 + 5 + 2);
  for (size_t i = 0; i < values.size(); ++i) {
    char& byte = (*values[i])[values[i]->size() / 2];
    byte = static_cast<char>(byte ^ 1);
    EXPECT_FALSE(Check().ok()) << i;
    byte = static_cast<char>(byte ^ 1);
  }
  EXPECT_TRUE(Check().ok());
}

// The keys hold the checksum of the sender's last vector.
TEST_F(OpeningTest, ChecksumThatItsSiteDidNotGiveIsRefused) {
  opening_.mutable_roster()->mutable_entries(1)->mutable_keys()->set_checksum(
      std::string(16, 'c'));
  ExpectRefused("has keys that s1 did not sign for it");
}

}  // namespace
}  // namespace hilum
