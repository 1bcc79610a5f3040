// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/descriptors.h"
#include "common/base/file.h"
#include "common/base/ids.h"
#include "common/base/malloc.h"
#include "common/base/printable.h"
#include "common/base/private_file.h"
#include "common/base/status_macros.h"
#include "common/cli/service.h"
#include "common/crypto/certificate.h"
#include "common/crypto/signature.h"
#include "common/secagg/credentials.h"
#include "site_agent/gateway/commands.h"
#include "site_agent/gateway/folder_watch.h"
#include "site_agent/gateway/service/grpc_transport.h"
#include "site_agent/gateway/service/trainer_launcher.h"
#include "site_agent/gateway/service/trainer_process.h"
#include "site_agent/gateway/session_runner.h"
#include "site_agent/gateway/site_config.h"
#include "site_agent/sandbox/confine.h"
#include "site_agent/sandbox/describe.h"
#include "site_agent/sandbox/dumpable.h"

namespace hilum {
namespace {

std::string TrainerFolder(const v1::SiteConfig& config) {
  return absl::StrCat(config.state_dir(), "/trainer");
}

// Returns the trainer's arguments: what it may read and write, and which paths
// beside its images it may not read.
std::vector<std::string> TrainerArguments(const v1::SiteConfig& config,
                                          const std::string& config_path) {
  const std::string& state = config.state_dir();
  std::vector<std::string> arguments = {
      "--manifest", config.manifest(),
      "--read",     absl::StrCat(state, "/blobs"),
      "--work",     TrainerFolder(config)};
  for (const std::string& guarded :
       {absl::StrCat(state, "/approvals"), absl::StrCat(state, "/studies"),
        absl::StrCat(state, "/spool"), absl::StrCat(state, "/ledger.jsonl"),
        config.patient_key_file(), config.tls().private_key(), config_path}) {
    arguments.insert(arguments.end(), {"--guard", guarded});
  }
  // Trainer processes that share batches connect over a loopback of their own.
  if (config.trainer().devices_size() > 1) arguments.push_back("--loopback");
  for (const std::string& device : config.trainer().devices()) {
    if (!absl::StartsWith(device, "cuda")) continue;
    arguments.push_back("--gpu");
    break;
  }
  return arguments;
}

absl::StatusOr<std::unique_ptr<TrainerLauncher>> StartLauncher(
    const v1::SiteConfig& config, const std::string& config_path) {
  HILUM_RETURN_IF_ERROR(HideMemory());
  HILUM_RETURN_IF_ERROR(MakeDirectories(TrainerFolder(config)));
  HILUM_RETURN_IF_ERROR(
      MakeDirectories(absl::StrCat(config.state_dir(), "/blobs")));
  return TrainerLauncher::Start(config.trainer().binary(),
                                TrainerArguments(config, config_path));
}

absl::Status ConfineToSite(const v1::SiteConfig& config,
                           const std::string& config_path) {
  const v1::Tls& tls = config.tls();
  const std::string missing = MissingLandlock();
  HILUM_RETURN_IF_ERROR(ConfineGateway(
      config.state_dir(),
      {tls.authority(), tls.certificate(), tls.private_key(), config_path}));
  if (!missing.empty()) Log(absl::StrCat("warning: ", missing));
  return absl::OkStatus();
}

}  // namespace

absl::Status ServeSite(const std::string& config_path, bool exit_when_done,
                       const WrapTransport& wrap) {
  TuneMallocForChunks();
  RaiseDescriptorLimit();
  StopSignals signals;  // first: threads made later inherit the mask
  HILUM_ASSIGN_OR_RETURN(v1::SiteConfig config, LoadSiteConfig(config_path));
  HILUM_RETURN_IF_ERROR(MakePrivateFolder(config.state_dir()));
  // Start it before there are keys, threads or a network.
  HILUM_ASSIGN_OR_RETURN(std::unique_ptr<TrainerLauncher> launcher,
                         StartLauncher(config, config_path));
  HILUM_ASSIGN_OR_RETURN(
      Identity identity,
      LoadIdentity(config.tls().authority(), config.tls().certificate(),
                   config.tls().private_key(), Role::kSite, RealClock().Now()));
  HILUM_ASSIGN_OR_RETURN(
      std::string patient_key,
      LoadPatientKey(config.patient_key_file(), RealSecureRng()));
  if (!FileExists(config.manifest())) {
    return absl::NotFoundError(absl::StrCat(
        config.manifest(), ": the case manifest (CSV with the columns file, ",
        "label, patient_id) is not there"));
  }
  HILUM_RETURN_IF_ERROR(ConfineToSite(config, config_path));
  TrainerProcess trainer(*launcher, TrainerFolder(config), Log);
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
    // The runner first: it must not take the end of the trainer for a failure.
    runner->Stop();
    trainer.Stop();
  });
  Log(absl::StrCat("hilum-site ", SoftwareVersion(), ": site ",
                   identity.name.site, " of consortium ",
                   identity.name.consortium, ", coordinator ",
                   config.coordinator()));
  return runner->Run();
}

}  // namespace hilum
