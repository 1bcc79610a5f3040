// SPDX-License-Identifier: Apache-2.0
// Studies with secure aggregation, from the first call to the report.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/crypto/sha256.h"
#include "coordinator/federation_core.h"
#include "tests/coordinator/manual_clock.h"
#include "tests/coordinator/secure_site.h"

namespace hilum {
namespace {

using Json = nlohmann::json;
using Names = std::vector<std::string>;
using Shown = v1::SecureStep;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr absl::Duration kStep = absl::Seconds(60);
constexpr uint32_t kRounds = 2;
constexpr uint32_t kEvaluation = kRounds + 1;
const Names kAll = {"a", "b", "c", "d"};
const Names kThree = {"a", "b", "c"};

const Shown::ShownCase kSteps[] = {Shown::kAdvertiseKeys, Shown::kRoster,
                                   Shown::kInbox, Shown::kSurvivors,
                                   Shown::kConfirmations};

class SecureStudyTest : public testing::Test {
 protected:
  SecureStudyTest() {
    std::string name =
        testing::UnitTest::GetInstance()->current_test_info()->name();
    std::replace(name.begin(), name.end(), '/', '-');
    dir_ = absl::StrCat(testing::TempDir(), "/sums-", name);
    std::filesystem::remove_all(dir_);
  }

  absl::Status TryOpen(const std::string& authority_pem) {
    core_.reset();
    auto core = FederationCore::Open({.state_dir = absl::StrCat(dir_, "/state"),
                                      .authority_pem = authority_pem,
                                      .consortium = TestConsortium().name()},
                                     clock_);
    if (core.ok()) core_ = *std::move(core);
    return core.status();
  }
  void Open() {
    const absl::Status opened = TryOpen(TestConsortium().authority_pem());
    ASSERT_TRUE(opened.ok()) << opened;
  }
  void Start() {
    Open();
    const v1::Study study = FourSiteStudy(/*secure=*/true);
    hash_ = core_->SubmitStudy(study, "").value();
    for (const std::string& name : kAll) {
      sites_.emplace(name,
                     std::make_unique<SecureSite>(core_, name, hash_, study));
    }
  }
  SecureSite& Site(const std::string& name) { return *sites_.at(name); }
  v1::StudyStatus Status() { return core_->StatusOf(hash_).value(); }

  // A minute passes for all who are waited for.
  void LetAMinutePass(const std::string& awake) {
    clock_.Advance(kStep);
    // The coordinator's thread sleeps by another clock; any call wakes it.
    v1::SubmitSecureStepRequest stray;
    stray.mutable_header()->set_protocol_version(kProtocolVersion);
    stray.mutable_header()->set_study_hash(hash_);
    stray.mutable_header()->set_round(Status().round());
    EXPECT_EQ(Site(awake).Send(stray).code(),
              absl::StatusCode::kFailedPrecondition);
  }

  // Sites do what they are asked, and the others are silent, until the study
  // ends or a site has a task that is `at`.
  using At = std::function<bool(const v1::Task&)>;
  void Work(const Names& names, const At& at = nullptr) {
    for (;;) {
      const v1::StudyStatus status = Status();
      if (status.phase() >= v1::StudyStatus::COMPLETED) return;
      const auto& waiting = status.waiting_for();
      const auto next = std::find_first_of(names.begin(), names.end(),
                                           waiting.begin(), waiting.end());
      if (next != names.end()) {
        const v1::Task task = Site(*next).Next().task();
        if (at && at(task)) return;
        const absl::Status done = Site(*next).Do(task);
        ASSERT_TRUE(done.ok()) << *next << ": " << done;
      } else if (!waiting.empty()) {
        LetAMinutePass(names[0]);
      } else {
        ASSERT_TRUE(core_->WaitForChange(hash_, status, absl::Minutes(1)).ok());
      }
    }
  }
  static At Is(uint32_t round, Shown::ShownCase shown) {
    return [=](const v1::Task& task) {
      return task.has_secure() && task.secure().shown_case() == shown &&
             task.header().round() == round;
    };
  }
  // One step of each of these.
  void Take(const Names& names) {
    for (const std::string& name : names) {
      const absl::Status done = Site(name).Do(Site(name).Next().task());
      ASSERT_TRUE(done.ok()) << name << ": " << done;
    }
  }

  Json Report() {
    const std::string out = absl::StrCat(dir_, "/out");
    auto files = core_->ExportStudy(hash_, out);
    EXPECT_TRUE(files.ok()) << files.status();
    return Json::parse(ReadFile(out + "/report.json").value_or("{}"));
  }
  // Without the hashes of exported models, which name their study.
  static Json Federated(Json report) {
    Json federated = report["arms"]["whole"]["federated"];
    for (Json& track : federated["tracks"]) track.erase("model_sha256");
    return federated;
  }
  static StoredStudy StoredIn(const std::string& state_dir) {
    auto storage =
        Storage::Open(absl::StrCat(state_dir, "/coordinator.db")).value();
    return storage->LoadStudies().value().at(0);
  }
  static Json ContributorsOf(Json report, uint32_t round) {
    return report["rounds"][round - 1]["sites"];
  }
  // The coordinator ends.
  StoredStudy Stored() {
    core_.reset();
    return StoredIn(absl::StrCat(dir_, "/state"));
  }
  std::vector<std::string> Uploads() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(
             absl::StrCat(dir_, "/state/uploads"))) {
      names.push_back(entry.path().filename());
    }
    return names;
  }

  struct Ended {
    std::string global_sha256;
    Json report;
  };
  // The coordinator ends.
  Ended End() {
    Ended ended{.report = Report()};
    ended.global_sha256 = Stored().global.sha256();
    return ended;
  }
  static void ExpectSame(const Ended& secure, const Ended& plain) {
    EXPECT_EQ(ToHex(secure.global_sha256), ToHex(plain.global_sha256));
    Json a = Federated(secure.report), b = Federated(plain.report);
    EXPECT_EQ(a["pooled"], b["pooled"]);
    EXPECT_EQ(a["tracks"], b["tracks"]);
    EXPECT_EQ(secure.report.value("cohort", Json()), plain.report["cohort"]);
    EXPECT_EQ(secure.report.value("rounds", Json()), plain.report["rounds"]);
  }
  // The same study without masks, in which d gives a census and takes part in
  // so many rounds, of which the evaluation is the last.
  Ended EndPlain(uint32_t rounds_of_d) {
    const std::string dir = absl::StrCat(dir_, "/plain-", rounds_of_d);
    auto core = FederationCore::Open({.state_dir = dir}, RealClock()).value();
    const v1::Study study = FourSiteStudy(/*secure=*/false);
    const std::string hash = core->SubmitStudy(study, "").value();
    const std::string manifest = StudyLayout(study)->manifest_sha256;
    for (const std::string& name : kAll) {
      FakeSite site(*core, name.c_str(), hash);
      EXPECT_TRUE(site.SendCensus(manifest, site.Next().task()).ok());
    }
    for (uint32_t round = 1; round <= kEvaluation; ++round) {
      for (const std::string& name : kAll) {
        FakeSite site(*core, name.c_str(), hash);
        if (name == "d" && round > rounds_of_d) {
          if (round > rounds_of_d + 1) continue;
          v1::Task task;
          task.mutable_header()->set_protocol_version(kProtocolVersion);
          task.mutable_header()->set_study_hash(hash);
          EXPECT_TRUE(site.SendNoCensus(task).ok());
          continue;
        }
        const v1::Task task = site.Next().task();
        EXPECT_EQ(task.header().round(), round);
        EXPECT_TRUE((round == kEvaluation
                         ? site.SendEvaluation(task)
                         : site.SendUpdate(task, DeltaOf(name, round)))
                        .ok());
      }
    }
    EXPECT_TRUE(FakeSite(*core, "a", hash).Next().ended().completed());
    const std::string out = absl::StrCat(dir, "/out");
    EXPECT_TRUE(core->ExportStudy(hash, out).ok());
    core.reset();
    return {StoredIn(dir).global.sha256(),
            Json::parse(ReadFile(out + "/report.json").value_or("{}"))};
  }

  std::string dir_;
  ManualClock clock_{RealClock().Now()};
  std::unique_ptr<FederationCore> core_;
  std::string hash_;
  std::map<std::string, std::unique_ptr<SecureSite>> sites_;
};

TEST_F(SecureStudyTest, StudyEndsAsTheSameStudyWithoutMasks) {
  Start();
  Work(kAll);
  EXPECT_TRUE(Site("a").Next().ended().completed());
  const Ended ended = End();
  ExpectSame(ended, EndPlain(kEvaluation));
  EXPECT_EQ(Federated(ended.report)["pooled"]["n"], 80);
  EXPECT_EQ(Federated(ended.report)["pooled"]["mean_loss"], 0.5);
  EXPECT_EQ(ContributorsOf(ended.report, kRounds), kAll);
}

TEST_F(SecureStudyTest, NothingOfSingleSitesIsKept) {
  Start();
  Work(kAll);
  const Json report = Report();
  EXPECT_TRUE(Federated(report)["sites"].empty());
  EXPECT_TRUE(report["census"].empty());
  const StoredStudy stored = Stored();
  for (const auto& [site, census] : stored.census) {
    EXPECT_EQ(census.arms_size(), 0) << site.name();
    EXPECT_EQ(census.rows() + census.rejected_rows(), 0u);
  }
  EXPECT_THAT(stored.updates, IsEmpty());
  EXPECT_THAT(stored.evaluations, IsEmpty());
  EXPECT_FALSE(stored.sum.has_value());
  EXPECT_TRUE(stored.census_totals.has_value());
  EXPECT_TRUE(stored.evaluation_totals.has_value());
  EXPECT_THAT(Uploads(), IsEmpty());
}

// d answers everything up to a step, and nothing from it on.
class SecureStudyStepTest
    : public SecureStudyTest,
      public testing::WithParamInterface<Shown::ShownCase> {};

INSTANTIATE_TEST_SUITE_P(Steps, SecureStudyStepTest, testing::ValuesIn(kSteps),
                         [](const auto& info) {
                           return absl::StrCat("Step", info.index + 1);
                         });

TEST_P(SecureStudyStepTest, SiteThatVanishesInARoundLeavesTheOthersTheirs) {
  Start();
  Work(kAll, Is(1, GetParam()));
  Work(kThree);
  ASSERT_EQ(Status().phase(), v1::StudyStatus::COMPLETED) << Status().reason();
  const Ended ended = End();
  const bool counts = GetParam() >= Shown::kSurvivors;
  EXPECT_EQ(ContributorsOf(ended.report, 1), counts ? kAll : kThree);
  EXPECT_EQ(ContributorsOf(ended.report, 2), kThree);
  ExpectSame(ended, EndPlain(counts ? 1 : 0));
  EXPECT_THAT(Uploads(), IsEmpty());
}

TEST_P(SecureStudyStepTest, SiteThatVanishesInTheCensusIsOutOfTheStudy) {
  Start();
  Work(kAll, Is(0, GetParam()));
  const bool counts = GetParam() >= Shown::kSurvivors;
  Work(kThree, Is(1, Shown::kAdvertiseKeys));
  EXPECT_EQ(Site("d").Next(0).has_ended(), !counts);
  Open();
  EXPECT_EQ(Site("d").Next(0).has_ended(), !counts);
  Work(kThree);
  ASSERT_EQ(Status().phase(), v1::StudyStatus::COMPLETED) << Status().reason();
  EXPECT_EQ(Report()["cohort"]["sites"], counts ? kAll : kThree);
}

TEST_P(SecureStudyStepTest, SiteThatVanishesInTheEvaluationIsNotScored) {
  Start();
  Work(kAll, Is(kEvaluation, GetParam()));
  Work(kThree);
  ASSERT_EQ(Status().phase(), v1::StudyStatus::COMPLETED) << Status().reason();
  EXPECT_EQ(Federated(Report())["pooled"]["n"],
            GetParam() >= Shown::kSurvivors ? 80 : 60);
}

TEST_P(SecureStudyStepTest, CoordinatorStartedAnewEndsTheStudyAllTheSame) {
  Start();
  for (uint32_t round : {0u, 1u, kEvaluation}) {
    Work(kAll, Is(round, GetParam()));
    const v1::Task before = Site("a").Next().task();
    Take({"a", "b"});
    Open();
    const v1::Task after = Site("a").Next().task();
    EXPECT_EQ(after.header().round(), round);
    if (GetParam() == Shown::kConfirmations) {
      // The very sum, with what it has shown: else no site may go on.
      EXPECT_EQ(after.SerializeAsString(), before.SerializeAsString());
    } else {
      EXPECT_TRUE(after.secure().has_advertise_keys());
      EXPECT_NE(after.secure().sum_id(), before.secure().sum_id());
    }
  }
  Work(kAll);
  ASSERT_EQ(Status().phase(), v1::StudyStatus::COMPLETED) << Status().reason();
  ExpectSame(End(), EndPlain(kEvaluation));
}

TEST_F(SecureStudyTest, SumLostInUnmaskCostsItsRoundAndChangesNothing) {
  Start();
  Work(kAll, Is(1, Shown::kConfirmations));
  const v1::BlobRef before = Site("a").Next().task().global();
  const At second = Is(2, Shown::kAdvertiseKeys);
  Work({"a", "b"}, second);
  EXPECT_EQ(Site("a").Next().task().global().sha256(), before.sha256());
  Work(kAll);
  const Json report = Report();
  EXPECT_EQ(ContributorsOf(report, 1), Json::array());
  EXPECT_EQ(ContributorsOf(report, 2), kAll);
  core_.reset();
  EXPECT_THAT(Uploads(), IsEmpty());
}

TEST_F(SecureStudyTest, WrongSharesOfTooManyCostTheRound) {
  Start();
  Work(kAll, Is(1, Shown::kConfirmations));
  for (const std::string& name : kAll) {
    v1::SubmitSecureStepRequest said =
        Site(name).Answer(Site(name).Next().task());
    if (name > "b") {
      said.mutable_revealed()->mutable_shares(0)->mutable_share()->front() ^= 1;
    }
    ASSERT_TRUE(Site(name).Send(said).ok());
  }
  Work(kAll);
  EXPECT_EQ(Status().phase(), v1::StudyStatus::COMPLETED);
  EXPECT_EQ(ContributorsOf(Report(), 1), Json::array());
}

// Vectors are not synced to the disk before their record is: a machine that
// loses power may have kept this alone.
TEST_F(SecureStudyTest, VectorsGoneInUnmaskCostTheRoundAndNotTheStudy) {
  Start();
  Work(kAll, Is(1, Shown::kConfirmations));
  Take(kThree);
  core_.reset();
  std::filesystem::remove_all(absl::StrCat(dir_, "/state/uploads"));
  Open();
  Work(kAll);
  ASSERT_EQ(Status().phase(), v1::StudyStatus::COMPLETED) << Status().reason();
  EXPECT_EQ(ContributorsOf(Report(), 1), Json::array());
  EXPECT_EQ(ContributorsOf(Report(), 2), kAll);
}

TEST_F(SecureStudyTest, VectorsGoneBeforeAnythingIsRevealedCostNothing) {
  Start();
  Work(kAll, Is(kEvaluation, Shown::kConfirmations));
  core_.reset();
  std::filesystem::remove_all(absl::StrCat(dir_, "/state/uploads"));
  Open();
  Work(kAll);
  EXPECT_EQ(Status().phase(), v1::StudyStatus::COMPLETED) << Status().reason();
}

TEST_F(SecureStudyTest, UnmaskedUpdateIsRefused) {
  Start();
  Work(kAll, Is(1, Shown::kInbox));
  const v1::Task task = Site("a").Next().task();
  const v1::BlobRef plain =
      Site("a").Upload(task, Site("a").VectorFor(task)).value();
  FakeSite site(*core_, "a", hash_);
  const absl::Status refused = site.SubmitUpdate(task, plain);
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("no update unmasked"));
  EXPECT_EQ(Site("a").Next().task().SerializeAsString(),
            task.SerializeAsString());
}

TEST_F(SecureStudyTest, VectorBeforeItsStepIsNotTaken) {
  Start();
  Work(kAll, Is(1, Shown::kRoster));
  const v1::Task task = Site("a").Next().task();
  EXPECT_EQ(Site("a").Upload(task, Site("a").VectorFor(task)).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(Site("a").Next().task().secure().has_roster());
}

TEST_F(SecureStudyTest, UploadOfAnotherSizePutsThatSiteOutOfTheSumAlone) {
  Start();
  Work(kAll, Is(1, Shown::kInbox));
  const v1::Task task = Site("d").Next().task();
  std::vector<uint32_t> vector = Site("d").VectorFor(task);
  vector.pop_back();
  EXPECT_EQ(Site("d").Upload(task, vector).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(Site("d").Next(0).has_none());
  const absl::Time then = clock_.Now();
  Work(kAll);
  EXPECT_EQ(clock_.Now(), then);  // nobody waited for it
  EXPECT_EQ(ContributorsOf(Report(), 1), kThree);
  EXPECT_EQ(ContributorsOf(Report(), 2), kAll);
}

TEST_F(SecureStudyTest, VectorNamedWithAnotherSizePutsThatSiteOutLikewise) {
  Start();
  Work(kAll, Is(1, Shown::kInbox));
  v1::SubmitSecureStepRequest said = Site("d").Answer(Site("d").Next().task());
  said.mutable_masked()->set_size(4);
  EXPECT_EQ(Site("d").Send(said).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(Site("d").Next(0).has_none());
  const absl::Time then = clock_.Now();
  Work(kAll);
  EXPECT_EQ(clock_.Now(), then);
  EXPECT_EQ(ContributorsOf(Report(), 1), kThree);
}

TEST_F(SecureStudyTest, VectorNamedBeforeItIsHereIsNotTaken) {
  Start();
  Work(kAll, Is(1, Shown::kInbox));
  const v1::Task task = Site("a").Next().task();
  const v1::SubmitSecureStepRequest said = Site("a").Answer(task);
  EXPECT_EQ(Site("a").Send(said).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(Site("a").Next().task().secure().has_inbox());
  Take({"a"});
}

TEST_F(SecureStudyTest, EachAnswerMayBeSentTwice) {
  Start();
  for (Shown::ShownCase shown : kSteps) {
    Work(kAll, Is(1, shown));
    const v1::Task task = Site("a").Next().task();
    Take({"a"});
    const absl::Status again = Site("a").Send(Site("a").Answer(task));
    EXPECT_TRUE(again.ok()) << shown << ": " << again;
  }
  Work(kAll);
  EXPECT_EQ(ContributorsOf(Report(), 1), kAll);
}

TEST_F(SecureStudyTest, SecondVectorOfASiteIsNotTaken) {
  Start();
  Work(kAll, Is(1, Shown::kInbox));
  Take({"a"});
  v1::SubmitSecureStepRequest said = Site("a").Answer(Site("b").Next().task());
  said.mutable_masked()->set_sha256(std::string(32, 'x'));
  EXPECT_EQ(Site("a").Send(said).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(SecureStudyTest, SiteThatGaveUpIsBackInTheNextRound) {
  Start();
  Work(kAll, Is(1, Shown::kInbox));
  FakeSite site(*core_, "d", hash_);
  ASSERT_TRUE(site.SendNoCensus(Site("d").Next().task()).ok());
  Work(kThree, Is(2, Shown::kAdvertiseKeys));
  EXPECT_EQ(Site("d").Next().task().kind(), v1::Task::PREPARE);
  Open();  // which does not make it forget
  EXPECT_EQ(Site("d").Next().task().kind(), v1::Task::PREPARE);
  Take({"d"});
  Work(kAll);
  EXPECT_EQ(ContributorsOf(Report(), 1), kThree);
  EXPECT_EQ(ContributorsOf(Report(), 2), kAll);
}

TEST_F(SecureStudyTest, PublishedEvaluationIsShownBesideTheSumAndNoAnswerToIt) {
  Start();
  Work(kAll, Is(kEvaluation, Shown::kAdvertiseKeys));
  const v1::Task task = Site("a").Next().task();
  ASSERT_TRUE(FakeSite(*core_, "a", hash_).SendEvaluation(task).ok());
  EXPECT_EQ(Site("a").Next().task().SerializeAsString(),
            task.SerializeAsString());
  Open();
  Work(kAll);
  const Json federated = Federated(Report());
  EXPECT_EQ(federated["pooled"]["n"], 80);
  EXPECT_EQ(federated["sites"]["a"]["n"], 20);
  EXPECT_EQ(federated["sites"].size(), 1u);
}

TEST_F(SecureStudyTest, StudyIsRefusedWithoutTheConsortiumsAuthority) {
  ASSERT_TRUE(TryOpen("").ok());
  const absl::Status refused =
      core_->SubmitStudy(FourSiteStudy(/*secure=*/true), "").status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("takes the consortium's authority"));
  EXPECT_THAT(core_->ListStudies(), IsEmpty());
  EXPECT_TRUE(core_->SubmitStudy(FourSiteStudy(/*secure=*/false), "").ok());
}

TEST_F(SecureStudyTest, StudyThatEndsLeavesNoVectorThatNobodyNamed) {
  Start();
  Work(kAll, Is(kEvaluation, Shown::kInbox));
  const v1::Task task = Site("d").Next().task();
  ASSERT_TRUE(Site("d").Upload(task, Site("d").VectorFor(task)).ok());
  Work(kThree);
  ASSERT_EQ(Status().phase(), v1::StudyStatus::COMPLETED);
  core_.reset();
  EXPECT_THAT(Uploads(), IsEmpty());
}

TEST_F(SecureStudyTest, StudyThatStopsLeavesNoUploads) {
  Start();
  Work(kAll, Is(1, Shown::kInbox));
  Take({"a", "b"});
  // Of the census, some may not be deleted yet.
  EXPECT_THAT(Uploads(), testing::SizeIs(testing::Ge(2)));
  ASSERT_TRUE(core_->StopStudy(hash_).ok());
  core_.reset();
  EXPECT_THAT(Uploads(), IsEmpty());
}

}  // namespace
}  // namespace hilum
