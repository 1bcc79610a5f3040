// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_ADVERSARY_ATTACKED_STUDY_H_
#define HILUM_TESTS_ADVERSARY_ATTACKED_STUDY_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "common/crypto/certificate.h"
#include "common/crypto/signature.h"
#include "common/secagg/credentials.h"
#include "coordinator/federation_core.h"
#include "coordinator/service/server.h"
#include "hilum/v1/ledger.pb.h"
#include "site_agent/gateway/approvals.h"
#include "site_agent/gateway/session_runner.h"
#include "site_agent/gateway/transport.h"
#include "tests/adversary/hostile_coordinator.h"
#include "tests/support/fake_trainer.h"

namespace hilum {

// One site's key and certificate, and what it takes part in sums with.
struct Member {
  Identity identity;
  std::unique_ptr<Signer> signer;
  SiteCredentials credentials;
};

// The consortium of all tests of the process.
const Member& MemberNamed(const std::string& site);
// Another key with a certificate of the consortium's authority in the name of
// the same site: what an authority can do that colludes.
const Member& SecondMemberNamed(const std::string& site);

// FakeTrainer with other numbers of cases: `cases`(fold, class), each of a
// patient of its own.
class CellTrainer : public FakeTrainer {
 public:
  std::function<uint64_t(int fold, int label)> cases;  // none: FakeTrainer's

  absl::StatusOr<v1::PrepareResponse> Prepare(
      const v1::PrepareRequest& request) override;
  absl::StatusOr<v1::TrainResponse> Train(
      const v1::TrainRequest& request) override;
  absl::StatusOr<v1::EvaluateResponse> Evaluate(
      const v1::EvaluateRequest& request) override;

 private:
  uint64_t InFold(int fold) const;
  v1::Study study_;
};

// A study with secure aggregation under attack: a FederationCore behind a
// HostileCoordinator and CoordinatorServer, and real gateways with a trainer
// that learns nothing, each on a thread of its own, over TLS on loopback.
// Life: set hooks and sites, Run or Start, (Restart)*, Wait, then look.
class AttackedStudy {
 public:
  struct Plan {
    // False: the coordinator lets any checksum pass, so that the sites alone
    // see a forged sum.
    bool check_checksums = true;
    std::vector<std::string> sites = {"a", "b", "c", "d"};
    uint32_t rounds = 2;
    bool pinned = false;
    bool secure = true;
    // Studies of other names and sites, submitted after it. Sites approve them
    // too.
    std::vector<v1::Study> others = {};
  };
  static v1::Study StudyOf(const Plan& plan, const std::string& name);

  // A site of the cohort, with its officer's decisions.
  struct Site {
    std::string folder;
    v1::Policy policy;
    CellTrainer trainer;
    // Between the gate and the network; null: nothing.
    std::function<std::unique_ptr<Transport>(std::unique_ptr<Transport>)> wrap;
    // With which the officer approves a study.
    std::function<Acceptance(const v1::Study&)> accepts;

    std::unique_ptr<Transport> transport;
    std::unique_ptr<SessionRunner> runner;
    std::thread thread;
    std::unique_ptr<absl::Notification> ended;
    absl::Status status;  // of Run
    std::unique_ptr<absl::Mutex> log_mutex = std::make_unique<absl::Mutex>();
    std::string log;
  };

  explicit AttackedStudy(const Plan& plan);
  AttackedStudy() : AttackedStudy(Plan()) {}
  ~AttackedStudy();

  HostileCoordinator& coordinator() { return *coordinator_; }
  FederationCore& core() { return *core_; }
  Site& site(const std::string& name) { return sites_.at(name); }
  const v1::Study& study() const { return study_; }
  const std::string& hash() const { return hash_; }

  // A study that the core does not know, which all sites approve too.
  void AddOffer(const std::string& study) { offers_.push_back(study); }
  void Start();
  // As a new process on the same folder.
  void Restart(const std::string& site);
  // Until all sites have ended; stops them where they do not.
  void Wait();
  void Run() {
    Start();
    Wait();
  }

  // --- After Wait.
  v1::StudyStatus Status() { return core_->StatusOf(hash_).value(); }
  // Details of the site's ledger lines of that kind.
  std::vector<std::string> Lines(const std::string& site,
                                 v1::LedgerEntry::Kind kind) const;
  // The study, for good; another one, where its hash is given.
  bool Refused(const std::string& site, const std::string& hash = "") const;
  const std::string& Log(const std::string& site) const {
    return sites_.at(site).log;
  }
  // The site has refused the study, with these words in its ledger and as its
  // end.
  void ExpectRefused(const std::string& site, const std::string& words) const;
  // The same of all who are shown it: with two that have left, a sum of four is
  // lost, and the others' study ends before they see why. ExpectStopped then
  // wants two who saw it.
  void ExpectRefusedOrOver(const std::string& site, const std::string& words);
  // The study went on to its end, and these sites have seen nothing wrong.
  void ExpectCompleted(const std::vector<std::string>& sites);
  // The study has stopped and says why.
  void ExpectStopped(const std::string& words);
  // What the site has uploaded is like noise beside its update.
  void ExpectNothingShownOf(const std::string& site) const;
  // The words of an upload, of the training rounds: first to last.
  std::vector<std::vector<uint32_t>> UploadsOf(const std::string& site) const;

 private:
  void Submit(const Plan& plan);
  void Approve(const std::string& name, Site& site);
  void StartSite(const std::string& name);
  void Stop(Site& site);
  // Whom the study waits for, what each site has logged and called last, and
  // what the threads of this process wait in.
  std::string WhereItStands();

  const std::string folder_;
  std::unique_ptr<FederationCore> core_;
  std::unique_ptr<HostileCoordinator> coordinator_;
  std::unique_ptr<CoordinatorServer> server_;
  v1::Study study_;
  std::string hash_;
  std::vector<std::string> offers_;  // studies, serialised
  std::map<std::string, Site> sites_;
  int refusals_ = 0, least_refusals_ = 0;
};

}  // namespace hilum

#endif  // HILUM_TESTS_ADVERSARY_ATTACKED_STUDY_H_
