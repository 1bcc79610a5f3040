// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_NETWORK_ASSOCIATION_SCP_H_
#define HILUM_SITE_AGENT_INGEST_NETWORK_ASSOCIATION_SCP_H_

#include <csignal>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/file.h"
#include "site_agent/ingest/intake_channel.h"

class DcmTransportLayer;

namespace hilum {

// Who may send: "AET", or "AET@HOST" from that host alone.
struct AllowedPeer {
  std::string ae_title;
  std::vector<uint32_t> addresses;  // IPv4, network byte order; empty: any
};
// INVALID_ARGUMENT: no AE title (PS3.5 section 6.2: at most 16 characters), or
// a host that no address is known of.
absl::StatusOr<AllowedPeer> ParseAllowedPeer(absl::string_view text);
absl::Status CheckAeTitle(absl::string_view title);

struct ScpOptions {
  std::string ae_title;
  // Empty: who connects from this machine, and with TLS who has a certificate.
  std::vector<AllowedPeer> allowed;
  std::string incoming;              // folder
  DcmTransportLayer* tls = nullptr;  // outlives it; null: none
};

// IPv4, network byte order; 0: it has gone. And as text.
uint32_t AddressOfPeer(int connection);
std::string PeerText(uint32_t address);

// Whether an IPv4 address, as text, is of this machine alone: 127.0.0.0/8.
bool IsLoopbackAddress(const std::string& text);

// Whether any title may call from that address.
bool MayConnect(const ScpOptions& options, uint32_t address);

// One association in the role of who provides verification and storage (PS3.7,
// PS3.8), over a connection that was accepted, to its end. `stop` ends it
// between two messages, and SIGALRM ends the process of a peer that takes over
// ten seconds to negotiate. It says on `log` what came, without any name of a
// patient. Uses global state of DCMTK: one association a process.
void ServeAssociation(ScopedFd connection, const ScpOptions& options,
                      IntakeChannel& intake,
                      const volatile std::sig_atomic_t& stop,
                      std::ostream& log);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_NETWORK_ASSOCIATION_SCP_H_
