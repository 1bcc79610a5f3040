// SPDX-License-Identifier: Apache-2.0
// A site's checks of a sum's roster and survivors, beyond the protocol.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/crypto/sha256.h"
#include "tests/site_agent/gateway/honest_sum.h"

namespace hilum {
namespace {

using Said = v1::SubmitSecureStepRequest;
using Step = HonestSum::Step;
using Asked = SecurePart::Asked;
using testing::HasSubstr;

const SiteId kSelf("s0");

class SecurePartRosterTest : public testing::Test {
 protected:
  SecurePartRosterTest() {
    const std::string folder = absl::StrCat(
        testing::TempDir(), "/roster-",
        testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder);
    for (const char* name : {"s0", "s1", "s2", "s3"}) {
      sites_[SiteId(name)] =
          std::make_unique<SumSite>(SiteId(name), folder + "/" + name);
      sites_[SiteId(name)]->SetVector({1, 2, 3});
    }
    Start(1, 'x');
  }

  void Start(uint32_t round, char id) {
    asked_.context = {.study_hash = std::string(32, 'h'),
                      .round = round,
                      .question = Sha256Of(absl::StrCat("in ", round))};
    for (const auto& [site, part] : sites_) asked_.context.cohort.insert(site);
    sum_ = std::make_unique<HonestSum>(asked_.context, std::string(32, id));
  }
  v1::Task TaskOf(const SiteId& site) const {
    v1::Task task;
    task.mutable_header()->set_study_hash(asked_.context.study_hash);
    task.mutable_header()->set_round(asked_.context.round);
    task.set_kind(v1::Task::TRAIN);
    *task.mutable_secure() = sum_->StepFor(site);
    return task;
  }
  absl::StatusOr<Said> Ask() {
    return sites_[kSelf]->Answer(TaskOf(kSelf), asked_);
  }
  // The other sites answer, except the lost ones; site kSelf answers `said`.
  void Close(const absl::StatusOr<Said>& said,
             const std::set<SiteId>& lost = {}) {
    ASSERT_TRUE(said.ok()) << said.status();
    ASSERT_TRUE(sum_->On(kSelf, *said).ok());
    for (auto& [site, part] : sites_) {
      if (site == kSelf || lost.contains(site)) continue;
      auto theirs = part->Answer(TaskOf(site), asked_.context);
      ASSERT_TRUE(theirs.ok()) << theirs.status();
      ASSERT_TRUE(sum_->On(site, *theirs).ok());
    }
    ASSERT_TRUE(sum_->Close().ok());
  }
  void UpTo(Step step, const std::set<SiteId>& lost = {}) {
    while (sum_->server().step() < step) {
      const bool gone = sum_->server().step() >= Step::kMaskedInput;
      ASSERT_NO_FATAL_FAILURE(Close(Ask(), gone ? lost : std::set<SiteId>()));
    }
  }

  std::map<SiteId, std::unique_ptr<SumSite>> sites_;
  Asked asked_{.model_sha256 = std::string(32, 'm')};
  std::unique_ptr<HonestSum> sum_;
};

TEST_F(SecurePartRosterTest, RosterIsCheckedBeforeSharesAreGiven) {
  UpTo(Step::kShareKeys);
  asked_.check_roster = [](const v1::Roster&) {
    return absl::PermissionDeniedError("forged");
  };
  EXPECT_THAT(std::string(Ask().status().message()), HasSubstr("forged"));
  asked_.check_roster = [](const v1::Roster&) { return absl::OkStatus(); };
  EXPECT_EQ(Ask().status().code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(SecurePartRosterTest, RosterIsCheckedAgainWhereTheDiskWasFull) {
  UpTo(Step::kShareKeys);
  int times = 0;
  asked_.check_roster = [&](const v1::Roster&) {
    return ++times == 1 ? absl::ResourceExhaustedError("No space left")
                        : absl::OkStatus();
  };
  EXPECT_EQ(Ask().status().code(), absl::StatusCode::kResourceExhausted);
  Close(Ask());
  EXPECT_EQ(times, 2);
  UpTo(Step::kDone);
  EXPECT_EQ(sum_->server().survivors().size(), 4u);
}

// Only the signatures of the first roster were checked.
TEST_F(SecurePartRosterTest, OtherRosterAfterAFullDiskIsRefused) {
  UpTo(Step::kShareKeys);
  asked_.check_roster = [](const v1::Roster&) {
    return absl::ResourceExhaustedError("No space left");
  };
  v1::Task task = TaskOf(kSelf);
  EXPECT_EQ(sites_[kSelf]->Answer(task, asked_).status().code(),
            absl::StatusCode::kResourceExhausted);
  asked_.check_roster = [](const v1::Roster&) { return absl::OkStatus(); };
  task.mutable_secure()
      ->mutable_roster()
      ->mutable_entries(1)
      ->mutable_keys()
      ->set_checksum(std::string(16, 'c'));
  const absl::Status refused = sites_[kSelf]->Answer(task, asked_).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("another roster"));
}

// Its keys belong to a question that this site could not follow to the end.
TEST_F(SecurePartRosterTest, SumThatWasLeftTakesNoFurtherStep) {
  UpTo(Step::kShareKeys);
  sites_[kSelf]->part().Leave(absl::NotFoundError("no opening"));
  EXPECT_THAT(std::string(Ask().status().message()), HasSubstr("no opening"));
}

TEST_F(SecurePartRosterTest, TwoStudiesAboutOneModelHaveOneListOfSurvivors) {
  UpTo(Step::kUnmask);
  ASSERT_TRUE(Ask().ok());
  const auto other_study = [&](char id) {
    Start(1, id);
    asked_.context.study_hash = std::string(32, 'H');
    sum_ = std::make_unique<HonestSum>(asked_.context, std::string(32, id));
  };
  for (bool restarted : {false, true}) {
    if (restarted) sites_[kSelf]->Restart();
    other_study(restarted ? 'z' : 'y');
    UpTo(Step::kConfirm, {SiteId("s3")});
    const absl::Status refused = Ask().status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(refused.message()),
                HasSubstr("differs from it only in s3"));
  }
  // The officer may accept the risk, and an equal list reveals nothing.
  other_study('w');
  UpTo(Step::kConfirm, {SiteId("s3")});
  asked_.may_differ = true;
  EXPECT_TRUE(Ask().ok());
  asked_.may_differ = false;
  other_study('v');
  UpTo(Step::kDone);
}

// Another layout gives other bytes of the same starting weights.
TEST_F(SecurePartRosterTest, TwoStudiesFromOneStartHaveOneFirstList) {
  asked_.start_sha256 = std::string(32, 's');
  Start(1, 'x');
  UpTo(Step::kUnmask);
  ASSERT_TRUE(Ask().ok());
  asked_.model_sha256 = std::string(32, 'n');
  Start(1, 'y');
  asked_.context.study_hash = std::string(32, 'H');
  sum_ = std::make_unique<HonestSum>(asked_.context, std::string(32, 'y'));
  UpTo(Step::kConfirm, {SiteId("s3")});
  EXPECT_THAT(std::string(Ask().status().message()), HasSubstr("only in s3"));
}

TEST_F(SecurePartRosterTest, FewerSurvivorsThanTheOfficersApprovedAreRefused) {
  Start(1, 'x');
  asked_.context.minimum_sites = 4;
  UpTo(Step::kConfirm, {SiteId("s3")});
  const absl::Status refused = Ask().status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("a sum of 3 sites is asked for, of at least 4"));
}

TEST_F(SecurePartRosterTest, ModelThatWasRevealedHasOneListOfSurvivors) {
  UpTo(Step::kUnmask);
  ASSERT_TRUE(Ask().ok());  // then the sum is lost
  for (bool restarted : {false, true}) {
    if (restarted) sites_[kSelf]->Restart();
    Start(restarted ? 3 : 2, restarted ? 'z' : 'y');
    UpTo(Step::kConfirm, {SiteId("s3")});
    const absl::Status refused = Ask().status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(refused.message()),
                HasSubstr("two sums about one model"));
  }
  Start(4, 'w');
  UpTo(Step::kDone);
  // The shares are noted with the model with which the sum began.
  Start(5, 'v');
  UpTo(Step::kConfirm, {SiteId("s3")});
  asked_.model_sha256 = std::string(32, 'n');
  EXPECT_THAT(std::string(Ask().status().message()),
              HasSubstr("two sums about one model"));
  Start(6, 'u');
  UpTo(Step::kDone, {SiteId("s3")});
  EXPECT_EQ(sum_->server().survivors().size(), 3u);
}

TEST_F(SecurePartRosterTest, SurvivorsThatAreNotAcceptedAreNotConfirmed) {
  UpTo(Step::kConfirm);
  asked_.check_survivors = [](const std::set<SiteId>& survivors) {
    EXPECT_EQ(survivors.size(), 4u);
    return absl::FailedPreconditionError("too few are known");
  };
  EXPECT_THAT(std::string(Ask().status().message()),
              HasSubstr("too few are known"));
}

}  // namespace
}  // namespace hilum
