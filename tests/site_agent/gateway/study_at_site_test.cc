// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/study_at_site.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "tests/site_agent/gateway/site_at_work.h"

namespace hilum {
namespace {

using testing::HasSubstr;

// The parts of a site, without the loop that runs them.
class StudyAtSiteTest : public testing::Test {
 protected:
  StudyAtSiteTest() { options_.config.set_state_dir(site_.state_dir); }
  static std::string NewFolder() {
    const std::string path = absl::StrCat(
        testing::TempDir(), "/study-at-site-",
        testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(path);
    return path;
  }
  v1::SubmitCensusRequest Census() {
    v1::PrepareRequest prepare;
    prepare.set_study(SerializeStudy(site_.study));
    const auto prepared = site_.trainer.Prepare(prepare);
    EXPECT_TRUE(prepared.ok()) << prepared.status();
    v1::SubmitCensusRequest census;
    *census.mutable_arms() = prepared->arms();
    *census.mutable_rejected_masks() = prepared->rejected_masks();
    return census;
  }

  SiteAtWork site_{NewFolder()};
  SiteOptions options_{.site = SiteId("a")};
  const SiteLog log_{options_};
  const std::unique_ptr<Ledger> ledger_ =
      Ledger::Open(site_.state_dir + "/ledger.jsonl", site_.clock).value();
  const Approvals approvals_ = Approvals::Open(site_.state_dir).value();
  const BlobCache blobs_ = BlobCache::Open(site_.state_dir + "/blobs").value();
  EgressFacts facts_{{.site = "a"}, approvals_, site_.clock};
  EgressGate gate_{site_.coordinator, *ledger_, approvals_, facts_};
  CoordinatorCalls calls_{gate_, site_.coordinator, site_.clock, log_};
  const BlobTransfer transfer_{
      [](absl::string_view, const google::protobuf::Message&,
         google::protobuf::Message*) {
        return absl::UnavailableError("no network");
      },
      blobs_};
  SiteSession session_{v1::Policy()};
  StepPatience patience_;
  Refusals refusals_{*ledger_, approvals_, log_};
  const SiteParts parts_{.options = options_,
                         .trainer = site_.trainer,
                         .clock = site_.clock,
                         .ledger = *ledger_,
                         .approvals = approvals_,
                         .blobs = blobs_,
                         .transfer = transfer_,
                         .facts = facts_,
                         .calls = calls_,
                         .session = session_,
                         .patience = patience_,
                         .refusals = refusals_,
                         .log = log_};
  SiteStudies studies_{parts_};
};

TEST_F(StudyAtSiteTest, StudyKeepsItsStateUntilItEnds) {
  const auto opened = studies_.Open(site_.hash);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ((*opened)->hash(), site_.hash);
  EXPECT_EQ((*opened)->tracks().size(), 3u);
  EXPECT_EQ((*opened)->layout().num_tracks, 3);
  EXPECT_EQ(studies_.Open(site_.hash).value(), *opened);
  const std::string vector = (*opened)->spool().path();
  ASSERT_TRUE(MakeDirectories(site_.state_dir + "/spool").ok());
  ASSERT_TRUE(WriteFileAtomically(vector, "x", Durability::kNone).ok());
  studies_.End(site_.hash);
  EXPECT_FALSE(std::filesystem::exists(vector));
}

TEST_F(StudyAtSiteTest, StudyThatWasNeverOfferedIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(studies_.Open(Sha256Of("other")).status()));
}

TEST_F(StudyAtSiteTest, PolicyIsAskedBeforeAStudyIsOpened) {
  v1::Policy policy;
  policy.set_require_secure_aggregation(true);
  session_ = SiteSession(policy);
  const auto opened = studies_.Open(site_.hash);
  EXPECT_TRUE(absl::IsFailedPrecondition(opened.status()));
  EXPECT_THAT(opened.status().message(),
              HasSubstr("policy.require_secure_aggregation"));
}

TEST_F(StudyAtSiteTest, ChangedCensusIsNotTakenForTheGivenOne) {
  StudyAtSite& study = *studies_.Open(site_.hash).value();
  EXPECT_FALSE(study.GivenCensus().value().has_value());
  ASSERT_TRUE(study.KeepCensus(Census()).ok());
  EXPECT_EQ(study.GivenCensus().value()->arms_size(), 1);
  const std::string path =
      absl::StrCat(site_.state_dir, "/studies/", ToHex(site_.hash), ".census");
  ASSERT_TRUE(WriteFileAtomically(path, "\xff", Durability::kNone).ok());
  EXPECT_TRUE(absl::IsDataLoss(study.GivenCensus().status()));
}

TEST_F(StudyAtSiteTest, ResultsFolderIsMade) {
  StudyAtSite& study = *studies_.Open(site_.hash).value();
  const auto folder = study.MakeResultsFolder();
  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_TRUE(std::filesystem::is_directory(*folder));
}

}  // namespace
}  // namespace hilum
