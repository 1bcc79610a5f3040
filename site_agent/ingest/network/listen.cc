// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/network/listen.h"

#include <dcmtk/config/osconfig.h>
// After its configuration.
#include <dcmtk/dcmnet/dcmlayer.h>
#include <dcmtk/oflog/oflog.h>

#include <memory>
#include <ostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/descriptors.h"
#include "common/base/status_macros.h"
#include "site_agent/ingest/intake_process.h"
#include "site_agent/ingest/network/listener.h"

namespace hilum {

void SilenceDcmtk() { OFLog::configure(OFLogger::OFF_LOG_LEVEL); }

absl::Status Listen(const ListenOptions& options, std::ostream& out) {
  SilenceDcmtk();
  RaiseDescriptorLimit();
  HILUM_RETURN_IF_ERROR(CheckAeTitle(options.ae_title));
  // Starts the process without network before the first socket.
  HILUM_ASSIGN_OR_RETURN(IntakeProcess intake,
                         IntakeProcess::Start(options.receiving));
  auto serve = [&]() -> absl::Status {
    ScpOptions scp{.ae_title = options.ae_title,
                   .incoming = IncomingFolder(options.receiving)};
    for (const std::string& peer : options.allow) {
      HILUM_ASSIGN_OR_RETURN(AllowedPeer allowed, ParseAllowedPeer(peer));
      scp.allowed.push_back(std::move(allowed));
    }
    HILUM_ASSIGN_OR_RETURN(std::unique_ptr<DcmTransportLayer> tls,
                           MakeTlsLayer(options.tls, /*server=*/true));
    scp.tls = tls.get();
    HILUM_ASSIGN_OR_RETURN(Listener listener,
                           Listener::Open(options.bind, options.port));
    return listener.Serve(intake, scp, out, [&] {
      out << absl::StrCat("listening as ", options.ae_title, " on ",
                          options.bind, ":", listener.port())
          << (scp.allowed.empty() && tls == nullptr
                  ? "; without --allow for this machine alone"
                  : "")
          << std::endl;
    });
  };
  const absl::Status served = serve();
  const absl::Status finished = std::move(intake).Finish();
  return served.ok() ? finished : served;
}

}  // namespace hilum
