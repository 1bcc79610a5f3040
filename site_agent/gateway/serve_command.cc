// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/ids.h"
#include "common/base/malloc.h"
#include "common/base/private_file.h"
#include "common/base/status_macros.h"
#include "common/crypto/certificate.h"
#include "common/crypto/signature.h"
#include "common/secagg/credentials.h"
#include "site_agent/gateway/commands.h"
#include "site_agent/gateway/folder_watch.h"
#include "site_agent/gateway/service/grpc_transport.h"
#include "site_agent/gateway/service/trainer_process.h"
#include "site_agent/gateway/session_runner.h"
#include "site_agent/gateway/site_config.h"

namespace hilum {
namespace {

void Log(absl::string_view line) {
  absl::FPrintF(stderr, "%s %s\n",
                absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", RealClock().Now(),
                                 absl::UTCTimeZone()),
                line);
}

// Takes SIGINT and SIGTERM on a thread of its own; SIGUSR1 ends the thread.
class StopSignals {
 public:
  StopSignals() {
    sigemptyset(&signals_);
    for (int signal : {SIGINT, SIGTERM, SIGUSR1}) {
      sigaddset(&signals_, signal);
    }
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
  }
  ~StopSignals() {
    if (!thread_.joinable()) return;
    pthread_kill(thread_.native_handle(), SIGUSR1);
    thread_.join();
  }
  void Start(std::function<void()> on_stop) {
    thread_ = std::thread([this, on_stop = std::move(on_stop)] {
      int signal = 0;
      sigwait(&signals_, &signal);
      if (signal != SIGUSR1) on_stop();
    });
  }

 private:
  sigset_t signals_;
  std::thread thread_;
};

}  // namespace

absl::Status ServeSite(const std::string& config_path, bool exit_when_done,
                       const WrapTransport& wrap) {
  TuneMallocForChunks();
  StopSignals signals;  // first: threads made later inherit the mask
  HILUM_ASSIGN_OR_RETURN(v1::SiteConfig config, LoadSiteConfig(config_path));
  HILUM_ASSIGN_OR_RETURN(
      Identity identity,
      LoadIdentity(config.tls().authority(), config.tls().certificate(),
                   config.tls().private_key(), Role::kSite, RealClock().Now()));
  HILUM_RETURN_IF_ERROR(MakePrivateFolder(config.state_dir()));
  HILUM_ASSIGN_OR_RETURN(
      std::string patient_key,
      LoadPatientKey(config.patient_key_file(), RealSecureRng()));
  if (!FileExists(config.manifest())) {
    return absl::NotFoundError(absl::StrCat(
        config.manifest(), ": the case manifest (CSV with the columns file, ",
        "label, patient_id) is not there"));
  }
  // Processes that share batches meet over a loopback of their own.
  std::vector<std::string> arguments;
  if (config.trainer().devices_size() > 1) arguments = {"--loopback"};
  TrainerProcess trainer(config.trainer().binary(), arguments, Log);
  HILUM_ASSIGN_OR_RETURN(Signer signer,
                         Signer::Create(identity.private_key_pem));
  const PeerVerifier verifier(identity.authority_pem, identity.name.consortium,
                              RealClock());
  const SiteCredentials credentials{.certificate_pem = identity.certificate_pem,
                                    .signer = &signer,
                                    .verifier = &verifier};
  GrpcTransport network(config.coordinator(), identity);
  const std::unique_ptr<Transport> wrapped = wrap ? wrap(network) : nullptr;
  Transport& transport = wrapped != nullptr ? *wrapped : network;
  HILUM_ASSIGN_OR_RETURN(
      std::unique_ptr<SessionRunner> runner,
      SessionRunner::Create({.site = SiteId(identity.name.site),
                             .config = config,
                             .patient_key = patient_key,
                             .credentials = &credentials,
                             .exit_when_done = exit_when_done,
                             .log = Log},
                            transport, trainer, RealClock()));
  HILUM_ASSIGN_OR_RETURN(
      std::unique_ptr<FolderWatch> watch,
      FolderWatch::Start(absl::StrCat(config.state_dir(), "/approvals"),
                         [&] { runner->Wake(); }));
  signals.Start([&] {
    Log("stopping");
    trainer.Stop();
    runner->Stop();
  });
  Log(absl::StrCat("hilum-site ", SoftwareVersion(), ": site ",
                   identity.name.site, " of consortium ",
                   identity.name.consortium, ", coordinator ",
                   config.coordinator()));
  return runner->Run();
}

}  // namespace hilum
