// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/refusals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/crypto/sha256.h"
#include "tests/site_agent/gateway/ledger_lines.h"
#include "tests/site_agent/gateway/site_at_work.h"

namespace hilum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RefusalsTest : public testing::Test {
 protected:
  RefusalsTest() {
    EXPECT_TRUE(approvals_.PutOffer(hash_, kStudy).ok());
    EXPECT_TRUE(approvals_.Approve(hash_).ok());
    task_.mutable_header()->set_study_hash(hash_);
    task_.mutable_header()->set_round(7);
  }
  static std::string NewFolder() {
    const std::string path = absl::StrCat(
        testing::TempDir(), "/refusals-",
        testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
    return path;
  }
  std::vector<std::string> Lines(v1::LedgerEntry::Kind kind) const {
    return LedgerDetails(folder_ + "/ledger.jsonl", kind);
  }

  static constexpr char kStudy[] = "a study";
  const std::string hash_ = Sha256Of(kStudy);
  const std::string folder_ = NewFolder();
  HastyClock clock_;
  const SiteOptions options_;
  const SiteLog log_{options_};
  const std::unique_ptr<Ledger> ledger_ =
      Ledger::Open(folder_ + "/ledger.jsonl", clock_).value();
  const Approvals approvals_ = Approvals::Open(folder_).value();
  Refusals refusals_{*ledger_, approvals_, log_};
  v1::Task task_;
};

TEST_F(RefusalsTest, CheatingCoordinatorLosesTheStudyForGood) {
  EXPECT_TRUE(absl::IsPermissionDenied(
      refusals_.RefuseModel(task_, "not the approved one")));
  EXPECT_THAT(Lines(v1::LedgerEntry::SUM_REFUSED),
              ElementsAre(HasSubstr("round 7: not the approved one")));
  EXPECT_THAT(approvals_.Refused(), ElementsAre(hash_));
  EXPECT_THAT(approvals_.DecidedBy(hash_, /*refused=*/true),
              HasSubstr("hilum-site itself"));
}

TEST_F(RefusalsTest, OtherReasonsCostTheTaskOnly) {
  EXPECT_TRUE(refusals_.Record(task_, absl::AbortedError("no vector")).ok());
  EXPECT_THAT(Lines(v1::LedgerEntry::SUM_REFUSED), ElementsAre("no vector"));
  EXPECT_THAT(approvals_.Refused(), IsEmpty());
}

TEST_F(RefusalsTest, OnlyPolicyAndConsentAreNotedAsNotTaken) {
  const absl::Status rule = absl::FailedPreconditionError("policy.x is 3");
  EXPECT_EQ(refusals_.NoteIfNotTaken(hash_, rule), rule);
  EXPECT_TRUE(refusals_.NoteIfNotTaken(hash_, absl::OkStatus()).ok());
  EXPECT_TRUE(absl::IsInternal(
      refusals_.NoteIfNotTaken(hash_, absl::InternalError("a fault"))));
  EXPECT_THAT(Lines(v1::LedgerEntry::ANSWER_REFUSED),
              ElementsAre(HasSubstr("policy.x is 3")));
}

}  // namespace
}  // namespace hilum
