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

// A peer that may send: "AET", or "AET@HOST" from that host alone.
struct AllowedPeer {
  std::string ae_title;
  std::vector<uint32_t> addresses;  // IPv4, network byte order; empty: any
};
// INVALID_ARGUMENT: no AE title (PS3.5 section 6.2: at most 16 characters), or
// a host without a known address.
absl::StatusOr<AllowedPeer> ParseAllowedPeer(absl::string_view text);
absl::Status CheckAeTitle(absl::string_view title);

struct ScpOptions {
  std::string ae_title;
  // Empty: allows peers on this machine and, with TLS, all with a certificate.
  std::vector<AllowedPeer> allowed;
  std::string incoming;              // folder
  DcmTransportLayer* tls = nullptr;  // outlives it; null: none
};

// Returns IPv4, network byte order; 0: the peer has gone. PeerText: as text.
uint32_t AddressOfPeer(int connection);
std::string PeerText(uint32_t address);

// Returns whether an IPv4 address, as text, is in 127.0.0.0/8.
bool IsLoopbackAddress(const std::string& text);

// Returns whether some title may call from that address.
bool MayConnect(const ScpOptions& options, uint32_t address);

// Serves one association as provider of verification and storage (PS3.7, PS3.8)
// over an accepted connection, until it ends. `stop` ends it between two
// messages. SIGALRM ends the process if negotiation takes over ten seconds.
// Logs what came to `log`, without any patient's name. Uses global state of
// DCMTK: one association a process.
void ServeAssociation(ScopedFd connection, const ScpOptions& options,
                      IntakeChannel& intake,
                      const volatile std::sig_atomic_t& stop,
                      std::ostream& log);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_NETWORK_ASSOCIATION_SCP_H_
