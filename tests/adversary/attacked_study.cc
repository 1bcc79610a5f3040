// SPDX-License-Identifier: Apache-2.0
#include "tests/adversary/attacked_study.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "certs/authority.h"
#include "common/base/check.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "site_agent/gateway/consent.h"
#include "site_agent/gateway/service/grpc_transport.h"
#include "tests/adversary/stuck_report.h"
#include "tests/adversary/vectors.h"
#include "tests/site_agent/gateway/ledger_lines.h"
#include "tests/support/fingerprint.h"

namespace hilum {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kConsortium[] = "attacked";
constexpr int kDays = 30;
// A site that has not ended by then never would: a call without an answer is
// repeated after two minutes.
constexpr absl::Duration kLongest = absl::Minutes(5);

const Authority& TheAuthority() {
  static const Authority& authority =
      *new Authority(MakeAuthority(kConsortium, RealClock().Now()).value());
  return authority;
}

const PeerVerifier& TheVerifier() {
  static const PeerVerifier& verifier = *new PeerVerifier(
      TheAuthority().certificate_pem, kConsortium, RealClock());
  return verifier;
}

Member MakeMember(const RequestedName& name) {
  const Request request = MakeRequest(name).value();
  Member member;
  Identity& identity = member.identity;
  identity.authority_pem = TheAuthority().certificate_pem;
  identity.private_key_pem = request.private_key_pem;
  identity.certificate_pem =
      SignRequest(TheAuthority(), request.request_pem, kDays, RealClock().Now())
          .value();
  identity.name = {.consortium = kConsortium, .site = name.site};
  identity.certificate = ParseCertificate(identity.certificate_pem).value();
  member.signer =
      std::make_unique<Signer>(Signer::Create(request.private_key_pem).value());
  member.credentials = {.certificate_pem = identity.certificate_pem,
                        .signer = member.signer.get(),
                        .verifier = &TheVerifier()};
  return member;
}

const Member& Named(std::map<std::string, Member>& members,
                    const std::string& site) {
  auto found = members.find(site);
  if (found == members.end()) {
    found = members.emplace(site, MakeMember({.site = site})).first;
  }
  return found->second;
}

const Member& TheCoordinator() {
  static const Member& member =
      *new Member(MakeMember({.hosts = {"127.0.0.1"}}));
  return member;
}

std::string NewFolder() {
  static int number = 0;
  std::string path =
      absl::StrCat(testing::TempDir(), "/hilum-adversary-", ++number);
  std::filesystem::remove_all(path);
  return path;
}

}  // namespace

const Member& MemberNamed(const std::string& site) {
  static auto& members = *new std::map<std::string, Member>;
  return Named(members, site);
}

const Member& SecondMemberNamed(const std::string& site) {
  static auto& members = *new std::map<std::string, Member>;
  return Named(members, site);
}

absl::StatusOr<v1::PrepareResponse> CellTrainer::Prepare(
    const v1::PrepareRequest& request) {
  HILUM_ASSIGN_OR_RETURN(v1::PrepareResponse response,
                         FakeTrainer::Prepare(request));
  if (!cases) return response;
  HILUM_ASSIGN_OR_RETURN(study_, ParseStudy(request.study()));
  const int classes = study_.classes_size();
  uint64_t rows = 0;
  for (v1::ArmCensus& arm : *response.mutable_arms()) {
    for (int cell = 0; cell < arm.fold_class_counts_size(); ++cell) {
      const uint64_t n = cases(cell / classes, cell % classes);
      arm.set_fold_class_counts(cell, n);
      rows += n;
    }
    FillFingerprint(arm);
  }
  response.mutable_rejected_masks()->Resize(0, 0);
  response.mutable_rejected_masks()->Resize(classes, 0);
  response.set_rows(rows);
  return response;
}

uint64_t CellTrainer::InFold(int fold) const {
  uint64_t n = 0;
  for (int label = 0; label < study_.classes_size(); ++label) {
    n += cases(fold, label);
  }
  return n;
}

absl::StatusOr<v1::TrainResponse> CellTrainer::Train(
    const v1::TrainRequest& request) {
  HILUM_ASSIGN_OR_RETURN(v1::TrainResponse response,
                         FakeTrainer::Train(request));
  if (!cases) return response;
  const std::vector<Track> tracks = StudyTracks(study_);
  const int folds = static_cast<int>(study_.cross_validation().folds());
  for (int t = 0; t < response.tracks_size(); ++t) {
    uint64_t n = 0;
    for (int fold = 0; fold < folds; ++fold) {
      if (fold != tracks[static_cast<size_t>(t)].fold) n += InFold(fold);
    }
    response.mutable_tracks(t)->set_num_examples(n);
    response.mutable_tracks(t)->set_loss_sum(static_cast<double>(n));
  }
  return response;
}

absl::StatusOr<v1::EvaluateResponse> CellTrainer::Evaluate(
    const v1::EvaluateRequest& request) {
  HILUM_ASSIGN_OR_RETURN(v1::EvaluateResponse response,
                         FakeTrainer::Evaluate(request));
  if (!cases) return response;
  const std::vector<Track> tracks = StudyTracks(study_);
  for (v1::TrackEvaluation& track : *response.mutable_tracks()) {
    if (InFold(tracks[track.track()].fold) > 0) continue;
    for (uint64_t& n : *track.mutable_confusion()) n = 0;
    track.set_loss_sum(0);
    track.set_mapped(0);
    track.set_map_in_lungs_sum(0);
    track.set_lung_share_sum(0);
    for (v1::ScoreHistogram& scores : *track.mutable_classes()) {
      for (uint32_t& n : *scores.mutable_positives()) n = 0;
      for (uint32_t& n : *scores.mutable_negatives()) n = 0;
    }
  }
  return response;
}

v1::Study AttackedStudy::StudyOf(const Plan& plan, const std::string& name) {
  v1::Study study;
  study.set_name(name);
  for (const char* label : {"sick", "well"}) study.add_classes(label);
  for (const std::string& site : plan.sites) study.add_sites(site);
  study.add_arms(v1::ARM_WHOLE);
  study.mutable_model()->set_trainable(v1::Model::TRAINABLE_HEAD);
  study.mutable_cross_validation()->set_folds(2);
  study.mutable_training()->set_rounds(plan.rounds);
  study.mutable_evaluation()->set_score_bins(16);
  study.mutable_aggregation()->set_secure_aggregation(
      plan.secure ? v1::Aggregation::SECURE_AGGREGATION_ON
                  : v1::Aggregation::SECURE_AGGREGATION_OFF);
  study.mutable_aggregation()->set_round_deadline_seconds(60);
  // A short deadline, so that a late site does not cost a minute.
  study.mutable_aggregation()->set_step_deadline_seconds(5);
  FillStudyDefaults(study);
  return study;
}

AttackedStudy::AttackedStudy(const Plan& plan) : folder_(NewFolder()) {
  const std::string state = folder_ + "/coordinator";
  const Signer& signer = *TheCoordinator().signer;
  auto core = FederationCore::Open(
      {.state_dir = state,
       .sign = [&signer](absl::string_view data) { return signer.Sign(data); },
       .authority_pem = TheAuthority().certificate_pem,
       .consortium = kConsortium,
       .check_checksums = plan.check_checksums},
      RealClock());
  HILUM_CHECK(core.ok());
  core_ = *std::move(core);
  coordinator_ = std::make_unique<HostileCoordinator>(*core_, state, signer);
  auto server = CoordinatorServer::Start(
      *core_, TheCoordinator().identity, "127.0.0.1:0", state + "/admin.sock",
      {.limits = {}, .sites = coordinator_.get()});
  HILUM_CHECK(server.ok());
  server_ = *std::move(server);
  for (const std::string& name : plan.sites) {
    Site& site = sites_[name];
    site.folder = absl::StrCat(folder_, "/", name);
    site.accepts = AcceptEverything;
  }
  Submit(plan);
}

AttackedStudy::~AttackedStudy() {
  for (auto& [name, site] : sites_) Stop(site);
  server_.reset();
}

void AttackedStudy::Submit(const Plan& plan) {
  SubmissionOptions options;
  if (plan.pinned) {
    for (const std::string& name : plan.sites) {
      options.site_certificates.push_back(
          MemberNamed(name).identity.certificate_pem);
    }
  }
  std::vector<v1::Study> studies = plan.others;
  studies.insert(studies.begin(), StudyOf(plan, "attacked"));
  for (const v1::Study& study : studies) {
    const auto hash = core_->SubmitStudy(study, "", options);
    ASSERT_TRUE(hash.ok()) << hash.status();
    // Polls like a site, to receive the offer of the study.
    v1::NextTaskRequest poll;
    poll.mutable_header()->set_protocol_version(kProtocolVersion);
    for (const std::string& offer : offers_) {
      poll.add_known_studies(Sha256Of(offer));
    }
    const auto offered = core_->NextTask(SiteId(study.sites(0)), poll);
    ASSERT_TRUE(offered.ok()) << offered.status();
    offers_.push_back(offered->offer().study());
    ASSERT_EQ(Sha256Of(offers_.back()), *hash);
  }
  hash_ = Sha256Of(offers_[0]);
  study_ = ParseStudy(offers_[0]).value();
}

void AttackedStudy::Approve(const std::string& name, Site& site) {
  auto approvals = Approvals::Open(site.folder);
  ASSERT_TRUE(approvals.ok()) << approvals.status();
  for (const std::string& offer : offers_) {
    const std::string hash = Sha256Of(offer);
    const v1::Study study = ParseStudy(offer).value();
    if (std::find(study.sites().begin(), study.sites().end(), name) ==
        study.sites().end()) {
      continue;
    }
    ASSERT_TRUE(approvals->PutOffer(hash, offer).ok());
    ASSERT_TRUE(approvals->Approve(hash, site.accepts(study)).ok());
  }
}

void AttackedStudy::StartSite(const std::string& name) {
  Site& site = sites_.at(name);
  const Member& member = MemberNamed(name);
  site.transport =
      std::make_unique<GrpcTransport>(server_->address(), member.identity);
  if (site.wrap) site.transport = site.wrap(std::move(site.transport));
  SessionRunner::Options options{.site = SiteId(name),
                                 .patient_key = std::string(32, 'k'),
                                 .credentials = &member.credentials,
                                 .exit_when_done = true};
  options.config.set_state_dir(site.folder);
  *options.config.mutable_policy() = site.policy;
  options.log = [&site](absl::string_view line) {
    absl::MutexLock lock(site.log_mutex.get());
    absl::StrAppend(&site.log, line, "\n");
  };
  auto runner = SessionRunner::Create(std::move(options), *site.transport,
                                      site.trainer, RealClock());
  ASSERT_TRUE(runner.ok()) << runner.status();
  site.runner = *std::move(runner);
  site.ended = std::make_unique<absl::Notification>();
  site.thread = std::thread([&site] {
    site.status = site.runner->Run();
    site.ended->Notify();
  });
}

void AttackedStudy::Start() {
  for (auto& [name, site] : sites_) Approve(name, site);
  for (auto& [name, site] : sites_) StartSite(name);
}

void AttackedStudy::Stop(Site& site) {
  if (site.runner != nullptr) site.runner->Stop();
  if (site.thread.joinable()) site.thread.join();
  site.runner.reset();
}

void AttackedStudy::Restart(const std::string& name) {
  Stop(sites_.at(name));
  StartSite(name);
}

void AttackedStudy::Wait() {
  const absl::Time latest = absl::Now() + kLongest;
  for (auto& [name, site] : sites_) {
    if (site.ended == nullptr) continue;
    EXPECT_TRUE(
        site.ended->WaitForNotificationWithTimeout(latest - absl::Now()))
        << name << " does not end; " << WhereItStands();
  }
  for (auto& [name, site] : sites_) Stop(site);
}

std::string AttackedStudy::WhereItStands() {
  std::string text;
  if (const auto status = core_->StatusOf(hash_); status.ok()) {
    text = absl::StrCat("the study: ", status->ShortDebugString(), "\n");
  }
  for (auto& [name, site] : sites_) {
    absl::MutexLock lock(site.log_mutex.get());
    absl::StrAppend(&text, "log of ", name, ":\n", site.log,
                    "its ledger's last lines:\n",
                    LastLedgerLines(site.folder + "/ledger.jsonl"));
  }
  absl::StrAppend(&text, "threads:\n", ThreadsOfProcess());
  return text;
}

std::vector<std::string> AttackedStudy::Lines(
    const std::string& site, v1::LedgerEntry::Kind kind) const {
  return LedgerDetails(sites_.at(site).folder + "/ledger.jsonl", kind);
}

bool AttackedStudy::Refused(const std::string& site,
                            const std::string& hash) const {
  const std::string& folder = sites_.at(site).folder;
  return Approvals::Open(folder)->Refused().contains(hash.empty() ? hash_
                                                                  : hash);
}

void AttackedStudy::ExpectRefusedOrOver(const std::string& site,
                                        const std::string& words) {
  if (least_refusals_ == 0) least_refusals_ = 2;
  // A line of another task that failed before does not say that it was seen.
  const std::vector<std::string> lines =
      Lines(site, v1::LedgerEntry::SUM_REFUSED);
  if (std::none_of(lines.begin(), lines.end(), [&](const std::string& line) {
        return absl::StrContains(line, words);
      })) {
    EXPECT_FALSE(sites_.at(site).status.ok()) << site;
    return;
  }
  ++refusals_;
  ExpectRefused(site, words);
}

void AttackedStudy::ExpectRefused(const std::string& site,
                                  const std::string& words) const {
  EXPECT_THAT(Lines(site, v1::LedgerEntry::SUM_REFUSED),
              Contains(HasSubstr(words)))
      << site << ":\n"
      << Log(site);
  EXPECT_TRUE(Refused(site)) << site;
  EXPECT_THAT(std::string(sites_.at(site).status.message()), HasSubstr(words));
}

void AttackedStudy::ExpectCompleted(const std::vector<std::string>& sites) {
  const v1::StudyStatus status = Status();
  EXPECT_EQ(status.phase(), v1::StudyStatus::COMPLETED) << status.reason();
  for (const std::string& site : sites) {
    EXPECT_TRUE(sites_.at(site).status.ok()) << sites_.at(site).status;
    EXPECT_THAT(Lines(site, v1::LedgerEntry::SUM_REFUSED), IsEmpty()) << site;
    EXPECT_FALSE(Refused(site)) << site;
  }
}

void AttackedStudy::ExpectStopped(const std::string& words) {
  EXPECT_GE(refusals_, least_refusals_);
  const v1::StudyStatus status = Status();
  EXPECT_EQ(status.phase(), v1::StudyStatus::STOPPED);
  EXPECT_THAT(status.reason(), HasSubstr(words));
}

std::vector<std::vector<uint32_t>> AttackedStudy::UploadsOf(
    const std::string& site) const {
  std::vector<std::vector<uint32_t>> vectors;
  const size_t size = DeltaOf(study_, site).size();
  for (const HostileCoordinator::Said& said : coordinator_->said()) {
    if (said.site.name() != site || !said.said.has_masked()) continue;
    const auto upload =
        coordinator_->uploads().find({said.site, said.said.masked().sha256()});
    if (upload == coordinator_->uploads().end()) continue;
    std::vector<uint32_t> words = WordsIn(upload->second);
    if (words.size() > size) vectors.push_back(std::move(words));
  }
  return vectors;
}

void AttackedStudy::ExpectNothingShownOf(const std::string& site) const {
  const std::vector<double> delta = DeltaOf(study_, site);
  for (const std::vector<uint32_t>& words : UploadsOf(site)) {
    EXPECT_LT(std::abs(Correlation(AsNumbers(words, delta.size()), delta)),
              NoiseBound(delta.size()))
        << site;
  }
  EXPECT_EQ(coordinator_->in_the_clear(), 0);
}

}  // namespace hilum
