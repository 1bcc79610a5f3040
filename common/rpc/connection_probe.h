// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_RPC_CONNECTION_PROBE_H_
#define HILUM_COMMON_RPC_CONNECTION_PROBE_H_

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "common/crypto/certificate.h"
#include "common/rpc/proxy.h"

namespace hilum {

// Why a coordinator cannot be reached.
enum class ConnectionFault {
  kNone,            // TLS 1.3 with the right certificates works
  kNoAddress,       // no address is known of the host
  kRefused,         // nothing listens on the port
  kUnreachable,     // this machine has no route to it
  kDropped,         // no answer to TCP
  kProxy,           // the proxy does not make the connection
  kNotTls,          // another protocol, such as plain HTTP
  kOldTls,          // TLS 1.2 at most
  kOtherAuthority,  // a certificate that the consortium did not sign
  kOtherName,       // a certificate for other hosts
  kExpired,
  kNotYetValid,
  kTurnedAway,  // the coordinator does not take this side's certificate
  kClosed,      // the connection is ended in the handshake
  kSilent,      // connected, but no answer
  kStopped,     // stop_fd became readable
};

struct ConnectionProbe {
  ConnectionFault fault = ConnectionFault::kNone;
  std::string text;  // what is wrong and what to do; empty: kNone, kStopped
};

struct ProbeOptions {
  std::string target;  // HOST:PORT
  const Identity* identity = nullptr;
  std::optional<Proxy> proxy;                  // as ProxyFor has it
  absl::Duration patience = absl::Seconds(5);  // for each answer
  int stop_fd = -1;                            // readable: give up; -1: none
};

// Connects to a coordinator as gRPC does, and reports the fault; gRPC itself
// gives the same message for most faults. Call with SIGPIPE ignored.
ConnectionProbe ProbeConnection(const ProbeOptions& options);

}  // namespace hilum

#endif  // HILUM_COMMON_RPC_CONNECTION_PROBE_H_
