// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fstream>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/base/clock.h"
#include "common/base/descriptors.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/cli/service.h"
#include "common/config/study.h"
#include "coordinator/federation_core.h"
#include "sim/direct_transport.h"
#include "sim/engine.h"
#include "sim/simulated_consortium.h"
#include "sim/trainer_pool.h"
#include "site_agent/gateway/approvals.h"
#include "site_agent/gateway/consent.h"
#include "site_agent/gateway/session_runner.h"

namespace hilum {
namespace {

// Writes lines from any thread to one file, behind the lines of an earlier run.
class LineLog {
 public:
  explicit LineLog(const std::string& path) : file_(path, std::ios::app) {}
  void Add(absl::string_view line) {
    absl::MutexLock lock(&mutex_);
    file_ << LogLine(RealClock().Now(), line) << std::endl;
  }

 private:
  absl::Mutex mutex_;
  std::ofstream file_ ABSL_GUARDED_BY(mutex_);
};

// Open files of one site's gateway, and of all other parts.
constexpr size_t kDescriptorsOfSite = 6;
constexpr size_t kDescriptorsKept = 64;

// One site: its gateway's session on a thread of its own.
class SiteThread {
 public:
  // References outlive this object. The site is not running yet.
  static absl::StatusOr<std::unique_ptr<SiteThread>> Create(
      const SimulatedSite& site, const SimulatedConsortium& consortium,
      FederationCore& core, const std::string& log_path,
      std::unique_ptr<Trainer> trainer);
  ~SiteThread() { Stop(); }

  // Takes the coordinator's offer and approves it, with all its risks, as an
  // officer would; keeps an earlier approval. Returns whether the study goes on
  // here: false where it has ended.
  absl::StatusOr<bool> ApproveOffer(FederationCore& core,
                                    const std::string& hash);

  // `on_end` is called from the site's thread.
  void Start(std::function<void()> on_end);
  void Stop();
  // Call after the thread's end.
  absl::Status Join();

 private:
  SiteThread(const SimulatedSite& site, FederationCore& core,
             const std::string& log_path)
      : site_(site), transport_(core, site.id, RealClock()), log_(log_path) {}

  const SimulatedSite& site_;
  DirectTransport transport_;
  LineLog log_;
  SimulatedConsortium::Member member_;
  std::unique_ptr<Trainer> trainer_;
  std::unique_ptr<SessionRunner> runner_;
  absl::Status result_;
  std::thread thread_;
};

absl::StatusOr<std::unique_ptr<SiteThread>> SiteThread::Create(
    const SimulatedSite& site, const SimulatedConsortium& consortium,
    FederationCore& core, const std::string& log_path,
    std::unique_ptr<Trainer> trainer) {
  std::unique_ptr<SiteThread> made(new SiteThread(site, core, log_path));
  HILUM_ASSIGN_OR_RETURN(made->member_, consortium.Join(site.id));
  made->trainer_ = std::move(trainer);
  SessionRunner::Options options;
  options.site = site.id;
  options.config = site.config;
  HILUM_ASSIGN_OR_RETURN(options.patient_key, PatientKeyOf(site));
  options.credentials = &made->member_.credentials;
  options.exit_when_done = true;
  options.log = [log = &made->log_](absl::string_view line) { log->Add(line); };
  HILUM_ASSIGN_OR_RETURN(
      made->runner_, SessionRunner::Create(std::move(options), made->transport_,
                                           *made->trainer_, RealClock()));
  return made;
}

absl::StatusOr<bool> SiteThread::ApproveOffer(FederationCore& core,
                                              const std::string& hash) {
  HILUM_ASSIGN_OR_RETURN(Approvals approvals,
                         Approvals::Open(site_.config.state_dir()));
  if (!approvals.Offered().contains(hash)) {
    v1::NextTaskRequest request;
    request.mutable_header()->set_protocol_version(kProtocolVersion);
    HILUM_ASSIGN_OR_RETURN(v1::NextTaskResponse next,
                           core.NextTask(site_.id, request));
    if (next.next_case() != v1::NextTaskResponse::kOffer) {
      return absl::InternalError(
          absl::StrCat(site_.id.name(), " was not offered the study"));
    }
    HILUM_RETURN_IF_ERROR(approvals.PutOffer(hash, next.offer().study()));
  }
  if (approvals.HasEnded(hash)) return false;
  if (approvals.Approved().contains(hash)) return true;
  HILUM_ASSIGN_OR_RETURN(const std::string bytes, approvals.Offer(hash));
  HILUM_ASSIGN_OR_RETURN(const v1::Study study, ParseStudy(bytes));
  HILUM_RETURN_IF_ERROR(approvals.Approve(hash, AcceptEverything(study)));
  return true;
}

void SiteThread::Start(std::function<void()> on_end) {
  thread_ = std::thread([this, on_end = std::move(on_end)] {
    result_ = runner_->Run();
    on_end();
  });
}

void SiteThread::Stop() {
  if (!thread_.joinable()) return;
  runner_->Stop();
  transport_.Shutdown();
  thread_.join();
}

absl::Status SiteThread::Join() {
  if (thread_.joinable()) thread_.join();
  if (result_.ok()) return result_;
  return absl::Status(result_.code(),
                      absl::StrCat(site_.id.name(), ": ", result_.message()));
}

int NumCores() {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

// Counts sites that have ended; one that failed ends the study for all.
struct Ended {
  absl::Mutex mutex;
  int count ABSL_GUARDED_BY(mutex) = 0;
};

// Waits until the study has ended and every site knows it, or a site ended
// early.
absl::Status WaitForEnd(FederationCore& core, const std::string& hash,
                        Ended& ended, const OnRounds& on_rounds) {
  HILUM_ASSIGN_OR_RETURN(v1::StudyStatus status, core.StatusOf(hash));
  while (status.phase() < v1::StudyStatus::COMPLETED) {
    if (status.phase() == v1::StudyStatus::TRAINING && status.round() > 1) {
      on_rounds(static_cast<int>(status.round()) - 1);
    }
    {
      absl::MutexLock lock(&ended.mutex);
      if (ended.count > 0) return absl::OkStatus();
    }
    HILUM_ASSIGN_OR_RETURN(status,
                           core.WaitForChange(hash, status, absl::Seconds(1)));
  }
  if (status.phase() == v1::StudyStatus::COMPLETED) {
    on_rounds(static_cast<int>(status.rounds()));
    return absl::OkStatus();
  }
  return absl::AbortedError(
      absl::StrCat("the study stopped: ", status.reason()));
}

using Sites = std::vector<std::unique_ptr<SiteThread>>;

int PoolSize(const RunPlan& plan) {
  int threads = 1;
  for (const SimulatedSite& site : plan.sites) {
    const int asked = static_cast<int>(site.config.trainer().threads());
    if (asked == 0) return TrainersAtOnce(0, NumCores());
    threads = std::max(threads, asked);
  }
  return TrainersAtOnce(threads, NumCores());
}

// Returns the error of a failed site; otherwise waits until all sites have
// ended.
absl::Status JoinSites(Sites& sites, FederationCore& core, TrainerPool& pool,
                       const std::string& hash) {
  HILUM_ASSIGN_OR_RETURN(v1::StudyStatus status, core.StatusOf(hash));
  if (status.phase() != v1::StudyStatus::COMPLETED) {
    // A site has given up: the others end with the study, which may have ended
    // because of it already.
    pool.Stop();
    const absl::Status stopped = core.StopStudy(hash).status();
    if (!absl::IsFailedPrecondition(stopped)) HILUM_RETURN_IF_ERROR(stopped);
  }
  absl::Status first;
  for (std::unique_ptr<SiteThread>& site : sites) {
    const absl::Status status = site->Join();
    // A stopped study is a consequence of the failure, not its cause.
    if (first.ok() || absl::IsAborted(first) || absl::IsCancelled(first)) {
      if (!status.ok()) first = status;
    }
  }
  return first;
}

// Submits the study, or finds it where an interrupted run has submitted it.
absl::StatusOr<std::string> SubmitOnce(const RunPlan& plan,
                                       FederationCore& core) {
  const std::vector<v1::StudyStatus> studies = core.ListStudies();
  if (!studies.empty()) {
    if (studies[0].phase() != v1::StudyStatus::STOPPED) {
      return studies[0].study_hash();
    }
    return StoppedBefore(plan, studies[0].reason());
  }
  return core.SubmitStudy(plan.study, plan.start.path,
                          {.weights = plan.start.options});
}

absl::StatusOr<std::unique_ptr<SimulatedConsortium>> OpenConsortium(
    const RunPlan& plan) {
  // Nobody signs without secure aggregation.
  return IsSecure(plan.study)
             ? SimulatedConsortium::Open(absl::StrCat(plan.out, "/certs"))
             : SimulatedConsortium::Create();
}

absl::Status StartSites(const RunPlan& plan, const std::string& hash,
                        const SimulatedConsortium& consortium,
                        FederationCore& core, const MakeTrainer& make_trainer,
                        TrainerPool& pool, Ended& ended, Sites& sites) {
  for (const SimulatedSite& site : plan.sites) {
    HILUM_ASSIGN_OR_RETURN(std::unique_ptr<Trainer> trainer,
                           make_trainer(site.id));
    HILUM_ASSIGN_OR_RETURN(
        std::unique_ptr<SiteThread> made,
        SiteThread::Create(
            site, consortium, core,
            absl::StrCat(plan.out, "/logs/", site.id.name(), ".log"),
            pool.Wrap(std::move(trainer))));
    HILUM_ASSIGN_OR_RETURN(const bool goes_on, made->ApproveOffer(core, hash));
    if (!goes_on) continue;
    made->Start([&ended] {
      absl::MutexLock lock(&ended.mutex);
      ++ended.count;
    });
    sites.push_back(std::move(made));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunInProcess(const RunPlan& plan, const MakeTrainer& make_trainer,
                          const OnRounds& on_rounds) {
  RaiseDescriptorLimit();
  HILUM_RETURN_IF_ERROR(CheckDescriptors(
      kDescriptorsKept + kDescriptorsOfSite * plan.sites.size(),
      absl::StrCat(plan.sites.size(), " simulated sites in one process")));
  const std::string logs = absl::StrCat(plan.out, "/logs");
  const std::string state = absl::StrCat(plan.out, "/coordinator/state");
  HILUM_RETURN_IF_ERROR(MakeDirectories(logs));
  HILUM_RETURN_IF_ERROR(MakeDirectories(state));
  LineLog log(absl::StrCat(logs, "/coordinator.log"));
  HILUM_ASSIGN_OR_RETURN(std::unique_ptr<SimulatedConsortium> consortium,
                         OpenConsortium(plan));
  FederationCore::Options options;
  options.state_dir = state;
  options.authority_pem = consortium->authority_pem();
  options.consortium = consortium->name();
  options.log = [&log](absl::string_view line) { log.Add(line); };
  HILUM_ASSIGN_OR_RETURN(std::unique_ptr<FederationCore> core,
                         FederationCore::Open(std::move(options), RealClock()));
  HILUM_ASSIGN_OR_RETURN(const std::string hash, SubmitOnce(plan, *core));
  Ended ended;
  TrainerPool pool(PoolSize(plan));
  Sites sites;
  HILUM_RETURN_IF_ERROR(StartSites(plan, hash, *consortium, *core, make_trainer,
                                   pool, ended, sites));
  const absl::Status waited = WaitForEnd(*core, hash, ended, on_rounds);
  const absl::Status joined = JoinSites(sites, *core, pool, hash);
  HILUM_RETURN_IF_ERROR(joined);
  HILUM_RETURN_IF_ERROR(waited);
  return core->ExportStudy(hash, plan.out).status();
}

}  // namespace hilum
