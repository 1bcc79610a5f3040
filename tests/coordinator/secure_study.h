// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_COORDINATOR_SECURE_STUDY_H_
#define HILUM_TESTS_COORDINATOR_SECURE_STUDY_H_

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/base/file.h"
#include "common/crypto/sha256.h"
#include "coordinator/federation_core.h"
#include "tests/coordinator/manual_clock.h"
#include "tests/coordinator/secure_site.h"

namespace hilum {

// A coordinator on its own folder and four sites, with a study of secure
// aggregation. Time stands still, except when all sites that are waited for are
// silent.
class SecureStudyTest : public testing::Test {
 protected:
  using Json = nlohmann::json;
  using Names = std::vector<std::string>;
  using Shown = v1::SecureStep;

  static constexpr absl::Duration kStep = absl::Seconds(60);
  static constexpr uint32_t kRounds = 2;
  static constexpr uint32_t kEvaluation = kRounds + 1;
  inline static const Names kAll = {"a", "b", "c", "d"};
  inline static const Names kThree = {"a", "b", "c"};

  SecureStudyTest() {
    std::string name =
        testing::UnitTest::GetInstance()->current_test_info()->name();
    std::replace(name.begin(), name.end(), '/', '-');
    // The folder belongs to this process: two of them may run at once.
    dir_ = absl::StrCat(testing::TempDir(), "/sums-", getpid(), "-", name);
    std::filesystem::remove_all(dir_);
  }
  ~SecureStudyTest() override {
    core_.reset();
    std::filesystem::remove_all(dir_);
  }

  absl::Status TryOpen(const std::string& authority_pem) {
    core_.reset();
    auto core = FederationCore::Open({.state_dir = absl::StrCat(dir_, "/state"),
                                      .authority_pem = authority_pem,
                                      .consortium = TestConsortium().name(),
                                      .log = [this](auto line) { Note(line); }},
                                     clock_);
    if (core.ok()) core_ = *std::move(core);
    return core.status();
  }
  void Note(absl::string_view line) {
    absl::MutexLock lock(&log_mutex_);
    absl::StrAppend(&log_, line, "\n");
  }
  // Returns the operator's log, of all coordinators in the test.
  std::string Log() {
    absl::MutexLock lock(&log_mutex_);
    return log_;
  }
  void Open() {
    const absl::Status opened = TryOpen(TestConsortium().authority_pem());
    ASSERT_TRUE(opened.ok()) << opened;
  }
  void Start() {
    Open();
    const v1::Study study = MakeStudy(/*secure=*/true);
    hash_ = core_->SubmitStudy(study, "").value();
    study_ = StudyOffered();
    for (const std::string& name : kAll) {
      sites_.emplace(name, std::make_unique<SecureSite>(
                               core_, name, hash_, study_,
                               absl::StrCat(dir_, "/site-", name)));
      Site(name).losses_of = losses_of_;
    }
  }
  // Returns the study with its starting weights, as offered to sites.
  v1::Study StudyOffered() {
    v1::NextTaskRequest request;
    request.mutable_header()->set_protocol_version(kProtocolVersion);
    return ParseStudy(
               core_->NextTask(SiteId("a"), request).value().offer().study())
        .value();
  }
  SecureSite& Site(const std::string& name) { return *sites_.at(name); }
  v1::StudyStatus Status() { return core_->StatusOf(hash_).value(); }

  // Lets a minute pass for all sites that are waited for.
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

  // Lets sites do their tasks, while the others are silent, until the study
  // ends or a site has a task for which `at` is true.
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
  // Lets each of these sites take one step.
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
  // Removes the hashes of exported models, whose files name their study.
  static Json Federated(Json report) {
    Json federated = report["arms"]["whole"]["federated"];
    for (Json& track : federated["tracks"]) track.erase("model_sha256");
    return federated;
  }
  // Removes the figures of single sites.
  static Json RoundsOf(Json report) {
    for (Json& round : report["rounds"]) round.erase("site_examples");
    return report["rounds"];
  }
  static Json TrackOf(const Json& report, const char* track) {
    return report["arms"]["whole"]["federated"]["tracks"][track];
  }
  static StoredStudy StoredIn(const std::string& state_dir) {
    auto storage =
        Storage::Open(absl::StrCat(state_dir, "/coordinator.db")).value();
    return storage->LoadStudies().value().at(0);
  }
  static Json ContributorsOf(Json report, uint32_t round) {
    return report["rounds"][round - 1]["sites"];
  }
  // Ends the coordinator; returns the stored study.
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
    std::string best_sha256;
    std::string optimizer_sha256;
    Json report;
  };
  // Ends the coordinator; returns the study's end.
  Ended End() {
    Ended ended{.report = Report()};
    const StoredStudy stored = Stored();
    ended.global_sha256 = stored.global.sha256();
    ended.best_sha256 = stored.best.sha256();
    ended.optimizer_sha256 = stored.optimizer.sha256();
    return ended;
  }
  static void ExpectSame(const Ended& secure, const Ended& plain) {
    EXPECT_EQ(ToHex(secure.global_sha256), ToHex(plain.global_sha256));
    EXPECT_EQ(ToHex(secure.best_sha256), ToHex(plain.best_sha256));
    EXPECT_EQ(ToHex(secure.optimizer_sha256), ToHex(plain.optimizer_sha256));
    Json a = Federated(secure.report), b = Federated(plain.report);
    EXPECT_EQ(a["pooled"], b["pooled"]);
    EXPECT_EQ(a["tracks"], b["tracks"]);
    EXPECT_EQ(secure.report.value("cohort", Json()), plain.report["cohort"]);
    EXPECT_EQ(secure.report.value("rounds", Json()), RoundsOf(plain.report));
  }
  // Runs the same study without masks, in which d gives a census and takes part
  // in `rounds_of_d` rounds, the last of which is the evaluation.
  Ended EndPlain(uint32_t rounds_of_d) {
    const std::string dir = absl::StrCat(dir_, "/plain-", rounds_of_d);
    auto core = FederationCore::Open({.state_dir = dir}, RealClock()).value();
    const v1::Study study = MakeStudy(/*secure=*/false);
    const std::string hash = core->SubmitStudy(study, "").value();
    const std::string manifest = StudyLayout(study)->manifest_sha256;
    for (const std::string& name : kAll) {
      FakeSite site(*core, name.c_str(), hash);
      if (IsValidated(study)) site.validation_loss = 0;
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
        if (IsValidated(study)) {
          site.validation_loss = 0;
          site.track_losses = losses_of_(name, round);
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
    const StoredStudy stored = StoredIn(dir);
    return {stored.global.sha256(), stored.best.sha256(),
            stored.optimizer.sha256(),
            Json::parse(ReadFile(out + "/report.json").value_or("{}"))};
  }

  std::function<v1::Study(bool secure)> MakeStudy = FourSiteStudy;
  std::function<std::vector<double>(const std::string&, uint32_t)> losses_of_ =
      ValidationLossesOf;
  std::string dir_;
  ManualClock clock_{RealClock().Now()};
  absl::Mutex log_mutex_;
  std::string log_;
  std::unique_ptr<FederationCore> core_;
  std::string hash_;
  v1::Study study_;  // as it was submitted
  std::map<std::string, std::unique_ptr<SecureSite>> sites_;
};

}  // namespace hilum

#endif  // HILUM_TESTS_COORDINATOR_SECURE_STUDY_H_
