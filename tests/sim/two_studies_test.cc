// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "coordinator/federation_core.h"
#include "sim/direct_transport.h"
#include "sim/simulated_consortium.h"
#include "site_agent/gateway/approvals.h"
#include "site_agent/gateway/consent.h"
#include "site_agent/gateway/session_runner.h"
#include "tests/support/fake_trainer.h"

namespace hilum {
namespace {

v1::Study StudyNamed(const std::string& name) {
  v1::Study study;
  study.set_name(name);
  for (const char* label : {"sick", "well"}) study.add_classes(label);
  for (const char* site : {"a", "b", "c"}) study.add_sites(site);
  study.add_arms(v1::ARM_WHOLE);
  study.mutable_model()->set_trainable(v1::Model::TRAINABLE_HEAD);
  study.mutable_cross_validation()->set_folds(2);
  study.mutable_training()->set_rounds(3);
  study.mutable_evaluation()->set_score_bins(16);
  FillStudyDefaults(study);
  return study;
}

// A gateway on its own thread, whose officer approves every offer.
class Site {
 public:
  Site(const std::string& name, const std::string& folder, FederationCore& core,
       const SimulatedConsortium& consortium)
      : transport_(core, SiteId(name), RealClock()),
        member_(consortium.Join(SiteId(name)).value()) {
    auto approvals = Approvals::Open(folder);
    EXPECT_TRUE(approvals.ok()) << approvals.status();
    v1::NextTaskRequest poll;
    poll.mutable_header()->set_protocol_version(kProtocolVersion);
    for (int i = 0; i < 2; ++i) {
      const std::string study =
          core.NextTask(SiteId(name), poll).value().offer().study();
      poll.add_known_studies(Sha256Of(study));
      EXPECT_TRUE(approvals->PutOffer(Sha256Of(study), study).ok());
      EXPECT_TRUE(approvals
                      ->Approve(Sha256Of(study),
                                AcceptEverything(ParseStudy(study).value()))
                      .ok());
    }
    SessionRunner::Options options{.site = SiteId(name),
                                   .patient_key = std::string(32, 'k'),
                                   .credentials = &member_.credentials};
    options.config.set_state_dir(folder);
    auto runner = SessionRunner::Create(std::move(options), transport_,
                                        trainer_, RealClock());
    EXPECT_TRUE(runner.ok()) << runner.status();
    runner_ = *std::move(runner);
    thread_ = std::thread([this] { EXPECT_TRUE(runner_->Run().ok()); });
  }
  ~Site() {
    runner_->Stop();
    thread_.join();
  }

 private:
  DirectTransport transport_;
  SimulatedConsortium::Member member_;
  FakeTrainer trainer_;
  std::unique_ptr<SessionRunner> runner_;
  std::thread thread_;
};

// A site's keys for one study's sum must survive the other study's steps.
TEST(TwoStudiesTest, MaskedSumsOfTwoStudiesDoNotDisturbEachOther) {
  const std::string folder = testing::TempDir() + "/two_studies";
  std::filesystem::remove_all(folder);
  auto consortium = SimulatedConsortium::Create();
  ASSERT_TRUE(consortium.ok()) << consortium.status();
  auto core =
      FederationCore::Open({.state_dir = folder + "/coordinator",
                            .authority_pem = (*consortium)->authority_pem(),
                            .consortium = (*consortium)->name()},
                           RealClock());
  ASSERT_TRUE(core.ok()) << core.status();
  for (const char* name : {"one", "two"}) {
    ASSERT_TRUE((*core)->SubmitStudy(StudyNamed(name), "").ok());
  }
  std::vector<std::unique_ptr<Site>> sites;
  for (const char* name : {"a", "b", "c"}) {
    sites.push_back(std::make_unique<Site>(
        name, absl::StrCat(folder, "/", name), **core, **consortium));
  }
  for (const v1::StudyStatus& first : (*core)->ListStudies()) {
    v1::StudyStatus status = first;
    while (status.phase() < v1::StudyStatus::COMPLETED) {
      status = *(*core)->WaitForChange(status.study_hash(), status,
                                       absl::Seconds(60));
    }
    EXPECT_EQ(status.phase(), v1::StudyStatus::COMPLETED) << status.reason();
  }
}

}  // namespace
}  // namespace hilum
