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

// One site's key and certificate, and the credentials with which it takes part
// in sums.
struct Member {
  Identity identity;
  std::unique_ptr<Signer> signer;
  SiteCredentials credentials;
};

// Returns the site's member of the consortium that all tests of the process
// share.
const Member& MemberNamed(const std::string& site);
// Returns another key, with a certificate of the consortium's authority in the
// name of the same site: a colluding authority can do this.
const Member& SecondMemberNamed(const std::string& site);

// A FakeTrainer with other numbers of cases: `cases`(fold, class), each case of
// a patient of its own.
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
// HostileCoordinator and a CoordinatorServer, and real gateways whose trainers
// learn nothing, each on a thread of its own, over TLS on loopback. Life: set
// hooks and sites, Run or Start, (Restart)*, Wait, then the checks.
class AttackedStudy {
 public:
  struct Plan {
    // False: the coordinator accepts any checksum, so that only the sites
    // detect a forged sum.
    bool check_checksums = true;
    std::vector<std::string> sites = {"a", "b", "c", "d"};
    uint32_t rounds = 2;
    bool pinned = false;
    bool secure = true;
    // Studies with other names and sites, which are submitted later. Sites
    // approve them too.
    std::vector<v1::Study> others = {};
  };
  static v1::Study StudyOf(const Plan& plan, const std::string& name);

  // A site of the cohort, with its officer's decisions.
  struct Site {
    std::string folder;
    v1::Policy policy;
    CellTrainer trainer;
    // Wraps the transport between the gate and the network; null: no wrapper.
    std::function<std::unique_ptr<Transport>(std::unique_ptr<Transport>)> wrap;
    // Returns what the officer accepts when approving a study.
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

  // Adds a study that the core does not know, and that all sites approve too.
  void AddOffer(const std::string& study) { offers_.push_back(study); }
  void Start();
  // Restarts the site like a new process on the same folder.
  void Restart(const std::string& site);
  // Waits until all sites have ended; stops those that do not.
  void Wait();
  void Run() {
    Start();
    Wait();
  }

  // --- After Wait.
  v1::StudyStatus Status() { return core_->StatusOf(hash_).value(); }
  // Returns the details of the site's ledger lines of that kind.
  std::vector<std::string> Lines(const std::string& site,
                                 v1::LedgerEntry::Kind kind) const;
  // Whether the site has refused the study, or the one with `hash`, for good.
  bool Refused(const std::string& site, const std::string& hash = "") const;
  const std::string& Log(const std::string& site) const {
    return sites_.at(site).log;
  }
  // Expects that the site has refused the study, with these words in its ledger
  // and in the status with which it ended.
  void ExpectRefused(const std::string& site, const std::string& words) const;
  // Expects the same of a site that was shown the forgery. After two of four
  // sites have left, the sum is lost, and the study may end before the others
  // see the forgery; so ExpectStopped then expects only two refusals.
  void ExpectRefusedOrOver(const std::string& site, const std::string& words);
  // Expects that the study completed, and that these sites saw nothing wrong.
  void ExpectCompleted(const std::vector<std::string>& sites);
  // Expects that the study has stopped, and that its reason has `words`.
  void ExpectStopped(const std::string& words);
  // Expects that the site's uploads correlate with its update only like noise.
  void ExpectNothingShownOf(const std::string& site) const;
  // Returns the words of each of the site's uploads in training rounds, in
  // order.
  std::vector<std::vector<uint32_t>> UploadsOf(const std::string& site) const;

 private:
  void Submit(const Plan& plan);
  void Approve(const std::string& name, Site& site);
  void StartSite(const std::string& name);
  void Stop(Site& site);
  // Returns the sites for which the study waits, each site's last log and
  // ledger lines, and the kernel functions in which this process's threads
  // wait.
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
