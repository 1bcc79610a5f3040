// SPDX-License-Identifier: Apache-2.0
// How a running site treats offers and its officer's decisions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "common/base/file.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "site_agent/gateway/consent.h"
#include "tests/site_agent/gateway/ledger_lines.h"
#include "tests/site_agent/gateway/site_at_work.h"

namespace hilum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class OffersTest : public testing::Test {
 protected:
  static std::string NewFolder() {
    const std::string path = absl::StrCat(
        testing::TempDir(), "/decisions-",
        testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(path);
    return path;
  }

  // Returns a serialised offer that the site has not seen.
  static std::string AnotherStudy() {
    v1::Study study = SmallStudy();
    study.set_name("another");
    study.set_protocol_version(kProtocolVersion);
    return SerializeStudy(study);
  }

  SiteAtWork site_{NewFolder()};
  const Approvals approvals_ = Approvals::Open(site_.state_dir).value();
};

TEST_F(OffersTest, LogAndLedgerSayWhatWasDecidedAndByWhom) {
  const std::string study = AnotherStudy();
  const std::string another = Sha256Of(study);
  ASSERT_TRUE(approvals_.PutOffer(another, study).ok());
  ASSERT_TRUE(approvals_.Refuse(another, "user\x1b jane").ok());
  ASSERT_TRUE(
      approvals_.Approve(site_.hash, AcceptEverything(site_.study), "user joe")
          .ok());
  std::string log;
  site_.on_log = [&](absl::string_view line) {
    absl::StrAppend(&log, line, "\n");
  };
  ASSERT_TRUE(site_.Run().ok());
  EXPECT_THAT(log, HasSubstr(absl::StrCat(
                       "study another (", ToHex(another).substr(0, 12),
                       ") is refused by user\\x1B jane; the coordinator is "
                       "told so")));
  EXPECT_THAT(log, HasSubstr("study tiny ("));
  EXPECT_THAT(log, HasSubstr(") is approved by user joe"));
  const std::string ledger = site_.state_dir + "/ledger.jsonl";
  EXPECT_THAT(LedgerDetails(ledger, v1::LedgerEntry::APPROVED),
              ElementsAre("by user joe"));
  EXPECT_THAT(LedgerDetails(ledger, v1::LedgerEntry::REFUSED),
              ElementsAre(HasSubstr("jane")));
  log.clear();
  ASSERT_TRUE(site_.Run().ok());
  EXPECT_EQ(log, "");  // once
}

// The coordinator asks again and again; the manifest is mended after a while.
TEST_F(OffersTest, GivenUpStudyIsTriedAgainOnceItsManifestChanged) {
  site_.manifest = site_.state_dir + "/manifest.csv";
  ASSERT_TRUE(WriteFileAtomically(site_.manifest, "file,label\n").ok());
  std::string log;
  site_.on_log = [&](absl::string_view line) {
    absl::StrAppend(&log, line, "\n");
  };
  site_.trainer.prepare = absl::InvalidArgumentError("row 3: Jane Doe");
  int polls = 0;
  site_.coordinator.next_task = [&]() -> std::optional<v1::Task> {
    const v1::NextTaskRequest& poll = site_.coordinator.polls.back();
    if (++polls == 4) {
      site_.trainer.prepare = absl::OkStatus();
      EXPECT_TRUE(
          WriteFileAtomically(site_.manifest, "file,label,more\n").ok());
    }
    if (polls > 5) return std::nullopt;
    // Sends a task only if the poll names the study as approved, like a
    // coordinator.
    v1::Task task = site_.MakeTask(v1::Task::PREPARE, 0);
    if (poll.approved_studies_size() == 0) task.clear_kind();
    return task;
  };
  ASSERT_TRUE(site_.Run().ok());
  EXPECT_EQ(site_.trainer.times_prepared, 2);
  ASSERT_EQ(site_.coordinator.censuses.size(), 2u);
  EXPECT_TRUE(site_.coordinator.censuses[0].unable());  // told once
  EXPECT_FALSE(site_.coordinator.censuses[1].unable());
  EXPECT_THAT(log, HasSubstr("has changed; trying again"));
}

TEST_F(OffersTest, OfferReachesASiteThatIsLoadingItsCases) {
  v1::NextTaskResponse task, offer;
  *task.mutable_task() = site_.MakeTask(v1::Task::PREPARE, 0);
  offer.mutable_offer()->set_study(AnotherStudy());
  site_.coordinator.answers = {task, offer};
  absl::Notification offered;
  site_.on_log = [&](absl::string_view line) {
    if (absl::StrContains(line, "is offered")) offered.Notify();
  };
  site_.offer_patience = absl::ZeroDuration();
  // Loading the cases lasts until the offer is here.
  site_.trainer.on_prepare = [&] { offered.WaitForNotification(); };
  ASSERT_TRUE(site_.Run().ok());
  EXPECT_EQ(approvals_.Offered().count(Sha256Of(AnotherStudy())), 1u);
  // The site asked for no task beside the running one.
  ASSERT_GE(site_.coordinator.polls.size(), 2u);
  EXPECT_EQ(site_.coordinator.polls[0].approved_studies_size(), 1);
  EXPECT_EQ(site_.coordinator.polls[1].approved_studies_size(), 0);
  EXPECT_THAT(site_.coordinator.polls[1].known_studies(),
              ElementsAre(site_.hash));
}

}  // namespace
}  // namespace hilum
