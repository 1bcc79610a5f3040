// SPDX-License-Identifier: Apache-2.0
#include "coordinator/serve_command.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/descriptors.h"
#include "common/base/file.h"
#include "common/base/ids.h"
#include "common/base/malloc.h"
#include "common/base/private_file.h"
#include "common/base/status_macros.h"
#include "common/cli/service.h"
#include "common/crypto/signature.h"
#include "coordinator/coordinator_config.h"
#include "coordinator/federation_core.h"
#include "coordinator/service/grpc_log.h"
#include "coordinator/service/server.h"

namespace hilum {

absl::Status ServeCoordinator(const std::string& config_path) {
  TuneMallocForChunks();
  MakeFilesPrivate();
  const size_t open_files = RaiseDescriptorLimit();
  LimitGrpcLog();
  StopSignals signals;  // first, so that later threads inherit the mask
  HILUM_ASSIGN_OR_RETURN(v1::CoordinatorConfig config,
                         LoadCoordinatorConfig(config_path));
  HILUM_ASSIGN_OR_RETURN(
      Identity identity,
      LoadIdentity(config.tls().authority(), config.tls().certificate(),
                   config.tls().private_key(), Role::kCoordinator,
                   RealClock().Now()));
  HILUM_ASSIGN_OR_RETURN(Signer signer,
                         Signer::Create(identity.private_key_pem));
  HILUM_RETURN_IF_ERROR(MakePrivateFolder(config.state_dir()));
  HILUM_ASSIGN_OR_RETURN(
      std::unique_ptr<FederationCore> core,
      FederationCore::Open(
          {.state_dir = config.state_dir(),
           .sign = [&](absl::string_view data) { return signer.Sign(data); },
           .authority_pem = identity.authority_pem,
           .consortium = identity.name.consortium,
           .log = Log},
          RealClock()));
  HILUM_ASSIGN_OR_RETURN(
      std::unique_ptr<CoordinatorServer> server,
      CoordinatorServer::Start(*core, identity, config.listen(),
                               AdminSocket(config),
                               {.limits = config.limits(), .log = Log}));
  if (!config.address_file().empty()) {
    HILUM_RETURN_IF_ERROR(
        WriteFileAtomically(config.address_file(), server->address()));
  }
  Log(absl::StrCat("hilum-coordinator ", SoftwareVersion(), " of consortium ",
                   identity.name.consortium, " listens on ", server->address(),
                   "; at most ", server->connections(), " connections, ",
                   open_files, " open files"));
  signals.Wait();
  Log("stopping");
  return absl::OkStatus();
}

}  // namespace hilum
