// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/consent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "certs/authority.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/config/study.h"
#include "common/crypto/certificate.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ConsentTest : public testing::Test {
 protected:
  ConsentTest() {
    const absl::Time now = RealClock().Now();
    const Authority authority = MakeAuthority("test", now).value();
    const Request request = MakeRequest({.site = "a"}).value();
    asked_ = {.site = SiteId("a"),
              .certificate_pem =
                  SignRequest(authority, request.request_pem, 30, now).value()};
  }
  ~ConsentTest() override { std::filesystem::remove_all(folder_); }

  v1::Study StudyOf(const std::vector<std::string>& sites) const {
    v1::Study study;
    study.set_name("lungs");
    for (const char* label : {"sick", "well"}) study.add_classes(label);
    study.add_arms(v1::ARM_WHOLE);
    for (const std::string& site : sites) study.add_sites(site);
    study.mutable_cross_validation()->set_folds(2);
    study.set_initial_weights_sha256(std::string(32, 'w'));
    FillStudyDefaults(study);
    for (const std::string& site : study.sites()) {
      study.add_site_keys(site == "a" ? KeyDigest(asked_.certificate_pem)
                                      : Sha256Of(site));
    }
    return study;
  }

  // Offers the study, and approves it unless `accepted` is null. Returns its
  // hash.
  std::string Offer(const v1::Study& study, const Acceptance* accepted) {
    const std::string bytes = SerializeStudy(study), hash = Sha256Of(bytes);
    EXPECT_TRUE(approvals_.PutOffer(hash, bytes).ok());
    if (accepted != nullptr) {
      EXPECT_TRUE(approvals_.Approve(hash, *accepted).ok());
    }
    return hash;
  }
  absl::Status Check(const v1::Study& study, const Acceptance& accepted) {
    return CheckConsent(asked_, approvals_, Offer(study, &accepted), study);
  }

  const std::string folder_ = absl::StrCat(
      testing::TempDir(), "/consent-", getpid(), "-",
      testing::UnitTest::GetInstance()->current_test_info()->name());
  const Approvals approvals_ = Approvals::Open(folder_).value();
  const Acceptance weights_{.weights_sha256 = std::string(32, 'w')};
  AskedSite asked_;
};

TEST_F(ConsentTest, AnApprovalOfBeforeAcceptsNothing) {
  const v1::Study study = StudyOf({"a", "b", "c"});
  EXPECT_THAT(std::string(Check(study, {}).message()),
              HasSubstr("does not name its starting weights"));
  EXPECT_TRUE(Check(study, weights_).ok());
}

TEST_F(ConsentTest, RisksAreAskedForWithTheCommandThatAcceptsThem) {
  v1::Study study = StudyOf({"a", "b", "c"});
  study.clear_site_keys();
  const absl::Status missing = Check(study, weights_);
  EXPECT_EQ(missing.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(missing.message()),
              HasSubstr("--accept unpinned_keys\n"));
  Acceptance accepted = weights_;
  accepted.risks = {"visible_updates"};
  EXPECT_FALSE(Check(study, accepted).ok());
  accepted.risks = {"unpinned_keys"};
  EXPECT_TRUE(Check(study, accepted).ok());
}

TEST_F(ConsentTest, AnotherStudysWeightsAreNotAccepted) {
  v1::Study study = StudyOf({"a", "b", "c"});
  study.set_initial_weights_sha256(std::string(32, 'x'));
  EXPECT_FALSE(Check(study, weights_).ok());
}

TEST_F(ConsentTest, AStudyThatPinsAnotherKeyForThisSiteIsRefused) {
  v1::Study study = StudyOf({"a", "b", "c"});
  study.set_site_keys(0, std::string(32, 'z'));
  EXPECT_EQ(Check(study, AcceptEverything(study)).code(),
            absl::StatusCode::kPermissionDenied);
}

TEST_F(ConsentTest, PastStudiesAreTheApprovedOnesWhateverCameLater) {
  const v1::Study first = StudyOf({"a", "b", "c"});
  v1::Study refused = first, offered = first, ended = first;
  refused.set_name("refused");
  offered.set_name("offered");
  ended.set_name("ended");
  Offer(offered, nullptr);
  ASSERT_TRUE(approvals_.Refuse(Offer(refused, &weights_)).ok());
  ASSERT_TRUE(approvals_.MarkEnded(Offer(ended, &weights_)).ok());
  const std::string own = Offer(first, &weights_);
  std::set<std::string> names;
  for (const PastStudy& past : PastStudies(approvals_, own)) {
    names.insert(past.study.name());
  }
  EXPECT_THAT(names, ElementsAre("ended", "refused"));
}

TEST_F(ConsentTest, AnEndedStudyOfOneSiteLessIsARisk) {
  ASSERT_TRUE(
      approvals_.MarkEnded(Offer(StudyOf({"a", "b", "c"}), &weights_)).ok());
  EXPECT_THAT(
      std::string(Check(StudyOf({"a", "b", "c", "d"}), weights_).message()),
      HasSubstr("site_updates_inferable"));
}

// Otherwise the first study would stop when its gateway is started again.
TEST_F(ConsentTest, AYesToALaterStudyCoversTheEarlierOne) {
  const v1::Study first = StudyOf({"a", "b", "c"});
  const v1::Study later = StudyOf({"a", "b", "c", "d"});
  EXPECT_TRUE(Check(first, weights_).ok());
  Acceptance accepted = weights_;
  accepted.risks = {"site_updates_inferable"};
  EXPECT_TRUE(Check(later, accepted).ok());
  EXPECT_TRUE(Check(first, weights_).ok());
  Offer(later, &weights_);
  EXPECT_FALSE(Check(first, weights_).ok());
}

TEST_F(ConsentTest, ThePolicyConflictsAreAllListed) {
  asked_.policy.add_architectures("vgg16");
  asked_.policy.add_trusted_peers()->set_site("z");
  v1::Study study = StudyOf({"a", "b", "c"});
  study.set_site_keys(0, std::string(32, 'z'));
  EXPECT_THAT(ConflictsOf(asked_, study),
              ElementsAre(HasSubstr("site a shows the key"),
                          HasSubstr("policy.architectures"),
                          HasSubstr("policy.minimum_trusted")));
  EXPECT_THAT(ConflictsOf(asked_, StudyOf({"b", "c", "d"})),
              testing::Contains(HasSubstr("do not include a")));
  asked_.policy.Clear();
  EXPECT_THAT(ConflictsOf(asked_, StudyOf({"a", "b", "c"})), IsEmpty());
}

TEST_F(ConsentTest, ACensusThatDiffersInOnePatientAsksForAYes) {
  v1::Study before = StudyOf({"a", "b", "c"});
  before.set_name("before");
  v1::SubmitCensusRequest census;
  v1::ArmCensus* arm = census.add_arms();
  for (int i = 0; i < 4; ++i) {
    arm->add_fold_class_counts(40);
    arm->add_fold_class_patients(20);
  }
  const std::string hash = Offer(before, &weights_);
  const v1::Study study = StudyOf({"a", "b", "c"});
  const std::string own = Offer(study, &weights_);
  ArmCensuses arms = census.arms();
  arms[0].set_fold_class_patients(1, 21);
  // The other study has no census yet.
  EXPECT_TRUE(CheckPatientsConsent(approvals_, own, study, arms).ok());
  ASSERT_TRUE(WriteFileAtomically(
                  absl::StrCat(folder_, "/studies/", ToHex(hash), ".census"),
                  census.SerializeAsString())
                  .ok());
  const absl::Status asks = CheckPatientsConsent(approvals_, own, study, arms);
  EXPECT_EQ(asks.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(asks.message()),
              HasSubstr("--accept patients_inferable"));
  EXPECT_TRUE(CheckPatientsConsent(approvals_, own, study, census.arms()).ok());
  ASSERT_TRUE(approvals_.Approve(own, AcceptEverything(study)).ok());
  EXPECT_TRUE(CheckPatientsConsent(approvals_, own, study, arms).ok());
}

TEST_F(ConsentTest, AYesToALaterCensusCoversTheEarlierOne) {
  const v1::Study first = StudyOf({"a", "b", "c"});
  v1::Study later = first;
  later.set_name("later");
  const std::string one = Offer(first, &weights_);
  const Acceptance everything = AcceptEverything(later);
  const std::string two = Offer(later, &everything);
  v1::SubmitCensusRequest census;
  v1::ArmCensus* arm = census.add_arms();
  for (int i = 0; i < 4; ++i) {
    arm->add_fold_class_patients(20);
    arm->add_fold_class_counts(20);
  }
  const auto give = [&](const std::string& hash) {
    EXPECT_TRUE(WriteFileAtomically(
                    absl::StrCat(folder_, "/studies/", ToHex(hash), ".census"),
                    census.SerializeAsString())
                    .ok());
  };
  const ArmCensuses arms = census.arms();
  arm->set_fold_class_patients(0, 21);
  give(two);
  // The approval accepts another risk; this study was not compared yet.
  EXPECT_FALSE(CheckPatientsConsent(approvals_, one, first, arms).ok());
  give(one);
  EXPECT_TRUE(CheckPatientsConsent(approvals_, one, first, arms).ok());
}

}  // namespace
}  // namespace hilum
