// SPDX-License-Identifier: Apache-2.0
#include "tests/site_agent/gateway/sums_at_work.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/aggregation/statistics_vector.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/config/study.h"
#include "common/crypto/certificate.h"
#include "common/crypto/sha256.h"
#include "tests/site_agent/gateway/ledger_lines.h"

namespace hilum {
namespace {

using Said = v1::SubmitSecureStepRequest;
using testing::IsEmpty;
using testing::SizeIs;

// A step that the site does not answer is shown this often, not without end.
constexpr int kMostTimesShown = 3;

const SiteId kSelf("a");
constexpr const char* kSites[] = {"a", "b", "c", "d"};

std::string NewFolder(const std::string& name) {
  std::string path = absl::StrCat(
      testing::TempDir(), "/sums-",
      testing::UnitTest::GetInstance()->current_test_info()->name(), name);
  std::filesystem::remove_all(path);
  return path;
}

}  // namespace

v1::SubmitCensusRequest FakeCensus(const v1::Study& study) {
  FakeTrainer trainer;
  v1::PrepareRequest request;
  request.set_study(SerializeStudy(study));
  const v1::PrepareResponse prepared = trainer.Prepare(request).value();
  v1::SubmitCensusRequest census;
  *census.mutable_arms() = prepared.arms();
  *census.mutable_rejected_masks() = prepared.rejected_masks();
  census.set_rows(prepared.rows());
  return census;
}

SumsOfFour::SumsOfFour(std::string folder, SiteAtWork& site)
    : published(site.study, site.hash, folder + "-published",
                site.coordinator.blobs),
      folder_(std::move(folder)),
      site_(site) {
  site.coordinator.next_task = [this] { return NextTask(); };
  site.coordinator.on_step = [this](const Said& said) { return On(said); };
}

std::optional<v1::Task> SumsOfFour::NextTask() {
  if (sum_ == nullptr || times_shown_ == kMostTimesShown) {
    sum_.reset();
    while (sum_ == nullptr) {
      if (attempts.empty()) return std::nullopt;
      Begin();
    }
  }
  ++times_shown_;
  v1::Task task = Asked(kSelf);
  tamper(task);
  return task;
}

v1::Task SumsOfFour::Filled(v1::Task task) {
  if (task.kind() != v1::Task::PREPARE && !published.HasCensus()) {
    v1::Task census = task;
    census.set_kind(v1::Task::PREPARE);
    census.mutable_header()->set_round(0);
    MakeSum(census, {std::begin(kSites), std::end(kSites)});
  }
  published.Fill(task);
  return task;
}

SumSite SumsOfFour::NewPeer(const SiteId& site, v1::Task::Kind kind) {
  const std::string folder = absl::StrCat(folder_, "-", site.name());
  std::filesystem::remove_all(folder);
  SumSite peer(site, folder);
  const v1::Study& study = site_.study;
  if (kind == v1::Task::PREPARE) {
    v1::SubmitCensusRequest census = FakeCensus(study);
    change_census(site, census);
    peer.SetVector(EncodeCensus(study, census).value());
  } else {
    const int64_t size = kind == v1::Task::TRAIN ? LayoutOf(study).size()
                                                 : EvaluationVectorSize(study);
    peer.SetVector(std::vector<uint32_t>(static_cast<size_t>(size)));
  }
  return peer;
}

void SumsOfFour::MakeSum(const v1::Task& task, const std::set<SiteId>& sites) {
  Peers peers;
  for (const SiteId& site : sites) {
    peers[site] = std::make_unique<SumSite>(NewPeer(site, task.kind()));
  }
  HonestSum sum(published.ContextOf(task), std::string(32, '='));
  while (sum.server().step() != Step::kDone) {
    for (auto& [site, peer] : peers) {
      v1::Task asked = task;
      *asked.mutable_secure() = sum.StepFor(site);
      auto said = peer->Answer(
          asked, SecurePart::Asked{.context = sum.context(),
                                   .checksum = published.ChecksumOf(site)});
      ASSERT_TRUE(said.ok()) << said.status();
      ASSERT_TRUE(sum.On(site, *said).ok());
    }
    ASSERT_TRUE(sum.Close().ok());
  }
  PublishedSums::Vectors masked;
  for (auto& [site, peer] : peers) masked[site] = peer->Masked();
  published.Publish(task.kind(), sum, masked);
}

void SumsOfFour::Begin() {
  attempt_ = attempts.front();
  attempts.pop_front();
  attempt_.task = Filled(attempt_.task);
  if (attempt_.without_site) {
    MakeSum(attempt_.task, {SiteId("b"), SiteId("c"), SiteId("d")});
    return;
  }
  peers_.clear();
  for (const char* name : {"b", "c", "d"}) {
    peers_[SiteId(name)] =
        std::make_unique<SumSite>(NewPeer(SiteId(name), attempt_.task.kind()));
  }
  sum_ = std::make_unique<HonestSum>(published.ContextOf(attempt_.task),
                                     std::string(32, attempt_.id));
  times_shown_ = 0;
}

v1::Task SumsOfFour::Asked(const SiteId& site) const {
  v1::Task task = attempt_.task;
  *task.mutable_secure() = sum_->StepFor(site);
  return task;
}

absl::Status SumsOfFour::On(const Said& said) {
  if (sum_ == nullptr) return absl::FailedPreconditionError("no sum is open");
  const absl::Status status = sum_->On(kSelf, said);
  if (!status.ok()) {
    sum_.reset();
    return said.leave() ? absl::OkStatus() : status;
  }
  if (said.has_masked()) upload_ = WordsOf(site_.coordinator.upload);
  if (said.has_revealed() && attempt_.unmask_is_lost) {
    sum_.reset();
    return absl::OkStatus();
  }
  for (auto& [site, peer] : peers_) {
    const bool lost = sum_->server().step() >= Step::kMaskedInput &&
                      attempt_.lost_peers.contains(site);
    const absl::Status asked = lost ? absl::OkStatus() : AskPeer(site, *peer);
    EXPECT_TRUE(asked.ok()) << site.name() << ": " << asked;
  }
  EXPECT_TRUE(sum_->Close().ok());
  times_shown_ = 0;
  if (sum_->server().step() == Step::kDone) Publish();
  if (sum_->server().step() >= attempt_.lost_in) sum_.reset();
  return absl::OkStatus();
}

absl::Status SumsOfFour::AskPeer(const SiteId& site, SumSite& peer) {
  HILUM_ASSIGN_OR_RETURN(
      Said said,
      peer.Answer(Asked(site),
                  SecurePart::Asked{.context = sum_->context(),
                                    .checksum = published.ChecksumOf(site)}));
  return sum_->On(site, said);
}

void SumsOfFour::Publish() {
  PublishedSums::Vectors masked;
  for (const SiteId& site : sum_->server().survivors()) {
    masked[site] = site == kSelf ? upload_ : peers_.at(site)->Masked();
  }
  read.push_back(published.Publish(attempt_.task.kind(), *sum_, masked));
}

v1::Study StudyOfFour(bool pins_keys) {
  v1::Study study = SmallStudy({std::begin(kSites), std::end(kSites)});
  for (const char* site : kSites) {
    if (!pins_keys) break;
    study.add_site_keys(KeyDigest(CredentialsOf(SiteId(site)).certificate_pem));
  }
  return study;
}

SecureSiteAtWork::SecureSiteAtWork(const std::string& name,
                                   const v1::Study& study)
    : folder(NewFolder(name)),
      site(folder + "/site", study),
      sums(folder + "/peer", site) {
  site.credentials = &CredentialsOf(kSelf);
  site.on_log = [this](absl::string_view line) {
    absl::StrAppend(&log, line, "\n");
  };
}

v1::Task SecureSiteAtWork::MakeTask(v1::Task::Kind kind) const {
  const uint32_t rounds = site.study.training().rounds();
  v1::Task task = site.MakeTask(kind, kind == v1::Task::PREPARE ? 0
                                      : kind == v1::Task::TRAIN ? 1
                                                                : rounds + 1);
  task.clear_global();
  task.clear_census();
  return task;
}

v1::Task SecureSiteAtWork::MakeTraining(uint32_t round) const {
  v1::Task task = MakeTask(v1::Task::TRAIN);
  task.mutable_header()->set_round(round);
  return task;
}

void SecureSiteAtWork::AskForCensus() {
  site.coordinator.tasks.push_back(MakeTask(v1::Task::PREPARE));
}

std::vector<v1::LedgerEntry> SecureSiteAtWork::Ledger() const {
  return LedgerLines(site.state_dir + "/ledger.jsonl");
}

std::vector<std::string> SecureSiteAtWork::Details(
    v1::LedgerEntry::Kind kind, const std::string& method) const {
  std::vector<std::string> details;
  for (const v1::LedgerEntry& entry : Ledger()) {
    if (entry.kind() == kind && (method.empty() || entry.method() == method)) {
      details.push_back(entry.detail());
    }
  }
  return details;
}

bool SecureSiteAtWork::IsRefused() const {
  return FileExists(absl::StrCat(site.state_dir, "/approvals/",
                                 ToHex(site.hash), ".refused"));
}

bool SecureSiteAtWork::HasRevealed() const {
  for (const Said& said : site.coordinator.steps) {
    if (said.has_revealed()) return true;
  }
  return false;
}

int SecureSiteAtWork::VectorsGiven() const {
  int vectors = 0;
  for (const Said& said : site.coordinator.steps) vectors += said.has_masked();
  return vectors;
}

void ExpectOnlyUnableLeft(const ScriptedCoordinator& coordinator) {
  EXPECT_THAT(coordinator.updates, IsEmpty());
  EXPECT_THAT(coordinator.evaluations, IsEmpty());
  EXPECT_THAT(coordinator.steps, IsEmpty());
  EXPECT_THAT(coordinator.upload, IsEmpty());
  ASSERT_THAT(coordinator.censuses, SizeIs(1));
  v1::SubmitCensusRequest want;
  *want.mutable_header() = coordinator.censuses[0].header();
  want.set_unable(true);
  want.set_unable_reason(coordinator.censuses[0].unable_reason());
  EXPECT_EQ(coordinator.censuses[0].SerializeAsString(),
            want.SerializeAsString());
}

}  // namespace hilum
