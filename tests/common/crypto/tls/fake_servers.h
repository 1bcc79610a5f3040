// SPDX-License-Identifier: Apache-2.0
// Servers that a site may find at the coordinator's address, on loopback.
#ifndef HILUM_TESTS_COMMON_CRYPTO_TLS_FAKE_SERVERS_H_
#define HILUM_TESTS_COMMON_CRYPTO_TLS_FAKE_SERVERS_H_

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "certs/authority.h"
#include "common/base/file.h"
#include "common/crypto/certificate.h"

namespace hilum {

// Returns an identity that trusts `authority`: a new key with a certificate of
// `authority`, valid for `days` from `from` on.
Identity MakeIdentity(const RequestedName& name, const Authority& authority,
                      absl::Time from, int days = 30);

// Returns a non-blocking socket connected to a port of 127.0.0.1; -1: refused.
ScopedFd ConnectToLoopback(int port);

// Listens on a port of 127.0.0.1 and calls `serve` for one connection after the
// other.
class LoopbackServer {
 public:
  explicit LoopbackServer(std::function<void(int fd)> serve);
  ~LoopbackServer();

  int port() const { return port_; }
  // Returns the number of connections so far.
  int count() const { return count_; }

 private:
  void Run();

  const std::function<void(int fd)> serve_;
  int port_ = 0;  // before listening_, which sets it
  ScopedFd listening_, stop_;
  std::atomic<int> count_{0};
  std::thread thread_;
};

// Answers the first bytes with `answer`, then waits for the client's end.
std::function<void(int)> Answering(std::string answer);
// Says nothing until the client has ended.
std::function<void(int)> Silent();
// Reads the first bytes and ends the connection.
std::function<void(int)> Closing();
// Shakes hands as `identity`, with at most TLS 1.2 on request; asks for the
// client's certificate and sets `*shown` when it comes.
std::function<void(int)> ShakingHands(const Identity& identity,
                                      bool only_tls12 = false,
                                      std::atomic<bool>* shown = nullptr);

// A port of 127.0.0.1 that answers no SYN: its queue is full.
class DroppingPort {
 public:
  DroppingPort();
  int port() const { return port_; }

 private:
  int port_ = 0;  // before listening_, which sets it
  ScopedFd listening_;
  std::vector<ScopedFd> queued_;
};

// A port of 127.0.0.1 on which nothing listens.
int ClosedPort();

}  // namespace hilum

#endif  // HILUM_TESTS_COMMON_CRYPTO_TLS_FAKE_SERVERS_H_
