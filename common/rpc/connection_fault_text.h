// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_RPC_CONNECTION_FAULT_TEXT_H_
#define HILUM_COMMON_RPC_CONNECTION_FAULT_TEXT_H_

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "common/crypto/tls/tls_probe.h"
#include "common/rpc/connection_probe.h"
#include "common/rpc/proxy.h"

namespace hilum {

// Facts that a ConnectionProbe has found.
struct ConnectionFacts {
  std::string target;  // HOST:PORT
  std::string host;
  std::optional<Proxy> proxy;
  absl::Duration patience;
  TlsPeer peer;        // set where it came to a handshake
  std::string detail;  // the system's reason
};

// Returns the fault, and the steps that somebody at the hospital can take.
std::string ConnectionFaultText(const ConnectionFacts& facts,
                                ConnectionFault fault);

}  // namespace hilum

#endif  // HILUM_COMMON_RPC_CONNECTION_FAULT_TEXT_H_
