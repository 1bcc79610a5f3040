// SPDX-License-Identifier: Apache-2.0
// One site lies, and the coordinator is honest.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "common/base/rng.h"
#include "common/crypto/sha256.h"
#include "tests/adversary/attacked_study.h"
#include "tests/adversary/hostile_site.h"
#include "tests/adversary/vectors.h"

namespace hilum {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

const char* const kHonest[] = {"a", "b", "c"};

// Whether the step is of a training round; all sites must be in the census.
bool IsOfTraining(const HostileSite::Lie& lie) {
  return lie.said.header().round() >= 1;
}

struct SiteAttack {
  const char* name;
  std::function<void(const HostileSite::Lie&)> lie;
};

// Each lie costs the liar its place in the sum, and the other sites nothing.
const SiteAttack kSiteAttacks[] = {
    {"VectorSignatureOfOtherBytes",
     [](const HostileSite::Lie& lie) {
       if (!IsOfTraining(lie) || !lie.said.has_masked()) return;
       const std::string sha256 = lie.said.masked().sha256();
       lie.said.mutable_masked()->set_sha256(std::string(32, 'v'));
       lie.sign_vector();
       lie.said.mutable_masked()->set_sha256(sha256);
     }},
    {"KeysSignedForAnotherQuestion",
     [](const HostileSite::Lie& lie) {
       if (!IsOfTraining(lie) || !lie.said.has_keys()) return;
       lie.said.mutable_keys()->set_question(std::string(32, 'q'));
       lie.sign_keys();
     }},
    {"ChecksumOfAnotherVector",
     [](const HostileSite::Lie& lie) {
       if (lie.said.header().round() < 2 || !lie.said.has_keys()) return;
       lie.said.mutable_keys()->set_checksum(std::string(16, '\1'));
       lie.sign_keys();
     }},
    {"KeysThatItDidNotSign",
     [](const HostileSite::Lie& lie) {
       if (!IsOfTraining(lie) || !lie.said.has_keys()) return;
       lie.said.mutable_keys()->set_mask_key(std::string(32, 'm'));
     }},
    {"SharesForOnePeerOnly",
     [](const HostileSite::Lie& lie) {
       if (!IsOfTraining(lie) || !lie.said.has_shares()) return;
       lie.said.mutable_shares()->mutable_shares()->DeleteSubrange(1, 2);
     }},
    {"SealedShareThatIsGarbageForOnePeer",
     [](const HostileSite::Lie& lie) {
       if (!IsOfTraining(lie) || !lie.said.has_shares()) return;
       v1::SealedShare& share = *lie.said.mutable_shares()->mutable_shares(0);
       share.set_sealed(std::string(share.sealed().size(), 'g'));
     }},
    {"ConfirmationOfAnotherList",
     [](const HostileSite::Lie& lie) {
       if (!IsOfTraining(lie) || !lie.said.has_confirmation()) return;
       lie.said.mutable_confirmation()->set_signature(
           MemberNamed("d").signer->Sign("another list"));
     }},
    {"NeverReveals",
     [](const HostileSite::Lie& lie) {
       if (IsOfTraining(lie) && lie.said.has_revealed()) {
         lie.said.set_leave(true);
       }
     }},
    {"SharesThatItRevealsAreWrong",
     [](const HostileSite::Lie& lie) {
       if (!IsOfTraining(lie) || !lie.said.has_revealed()) return;
       for (v1::RevealedShare& share :
            *lie.said.mutable_revealed()->mutable_shares()) {
         (*share.mutable_share())[0] ^= 1;
       }
     }},
};

class SiteAttackTest : public testing::TestWithParam<SiteAttack> {};

INSTANTIATE_TEST_SUITE_P(All, SiteAttackTest, testing::ValuesIn(kSiteAttacks),
                         [](const auto& info) { return info.param.name; });

TEST_P(SiteAttackTest, CostsTheOthersNothing) {
  AttackedStudy study;
  MakeHostile(study, "d",
              [](HostileSite& site) { site.on_step = GetParam().lie; });
  study.Run();
  study.ExpectCompleted({"a", "b", "c"});
  for (const char* site : kHonest) study.ExpectNothingShownOf(site);
}

// There is no protection here: a site can make the sum worthless. The site
// learns no more of the others by it, and such numbers of cases are noticed.
TEST(RandomUpdateAttackTest, RandomWordsSpoilTheSumAndShowNothing) {
  AttackedStudy study;
  MakeHostile(study, "d", [](HostileSite& site) {
    site.on_upload = [](const v1::UploadChunkRequest& chunk) {
      if (chunk.header().round() != 1) return std::string();
      std::string bytes(chunk.blob().size(), '\0');
      Rng rng(1, "random words");
      for (char& byte : bytes) byte = static_cast<char>(rng.Uniform() * 256);
      return bytes;
    };
    site.on_step = [](const HostileSite::Lie& lie) {
      if (lie.said.header().round() == 1 && lie.said.has_masked()) {
        lie.sign_vector();
      }
    };
  });
  study.Run();
  // The sum was opened, and its numbers of cases are absurd.
  study.ExpectStopped("round 1: ");
  EXPECT_THAT(study.Status().reason(), HasSubstr("examples"));
  for (const char* site : kHonest) {
    study.ExpectNothingShownOf(site);
    EXPECT_FALSE(study.Refused(site));
    EXPECT_THAT(std::string(study.site(site).status.message()),
                HasSubstr("round 1: "));
  }
}

// N grows, and the parts of all other sites shrink equally; the model hardly
// moves.
TEST(ClaimedCasesAttackTest, TooManyCasesPoisonAndShowNothing) {
  AttackedStudy study;
  study.site("d").trainer.cases = [](int, int) { return 100000; };
  study.Run();
  study.ExpectCompleted({"a", "b", "c", "d"});
  for (const char* site : kHonest) study.ExpectNothingShownOf(site);
  // A site that has most of a track's cases is told so.
  EXPECT_THAT(study.Log("d"), HasSubstr("of the cohort's cases for track"));
  EXPECT_THAT(study.Log("a"), Not(HasSubstr("of the cohort's cases")));
}

// Its own gateway refuses to send more cases than any site may have.
TEST(ClaimedCasesAttackTest, CasesBeyondAllBoundsEndTheLiarsPart) {
  AttackedStudy study;
  study.site("d").trainer.cases = [](int, int) { return uint64_t{1} << 40; };
  study.Run();
  study.ExpectCompleted({"a", "b", "c"});
  EXPECT_FALSE(study.site("d").status.ok());
}

}  // namespace
}  // namespace hilum
