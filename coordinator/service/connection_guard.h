// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_SERVICE_CONNECTION_GUARD_H_
#define HILUM_COORDINATOR_SERVICE_CONNECTION_GUARD_H_

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/ids.h"
#include "coordinator/service/connection_table.h"
#include "coordinator/service/cut_log.h"
#include "coordinator/service/listener.h"

namespace hilum {

// Stands between a listening socket and the server behind it, with a thread of
// its own. It accepts connections, holds each until its first bytes are a whole
// TLS ClientHello, and only then hands its descriptor to the server. It counts
// connections until the server has closed them, and cuts those that
// ConnectionTable selects. It never stops accepting: without free descriptors
// it drops new connections, and it replaces a listening socket that fails.
//
// gRPC 1.51's own accept loop ends for good with the first accept that lacks a
// descriptor (CVE-2023-4785). Thread-safe.
class ConnectionGuard {
 public:
  struct Options {
    ConnectionTable::Limits limits;
    // Most descriptors it holds, including the server's for its connections.
    size_t descriptors = 4000;
    bool awaits_hello = true;  // false: hands connections over at once
    std::function<void(absl::string_view)> log = [](absl::string_view) {};
  };
  // Makes the listening socket, non-blocking: called at the start, and again
  // when accepting fails for another reason than too many connections.
  using Listen = std::function<absl::StatusOr<ScopedFd>()>;
  // Takes over the descriptor and closes it when the connection ends.
  using HandOver = std::function<void(int fd)>;

  // Starts listening. Returns the status of `listen`.
  static absl::StatusOr<std::unique_ptr<ConnectionGuard>> Create(
      Options options, Listen listen, HandOver hand_over, Clock& clock);
  ~ConnectionGuard();

  // Starts accepting. Call once.
  void Start();
  // Stops accepting. Call before the server behind it stops, and destroy this
  // object when no more calls can come.
  void Stop();

  // Records a call of `site` over the connection from `peer`
  // (PeerAddress::peer).
  void Name(const std::string& peer, const SiteId& site);

  // Returns the number of open connections, for tests.
  size_t size() const;

 private:
  struct Connection {
    ScopedFd fd;  // this object's; watched for the end once handed over
    std::string peer;
    int handed = -1;  // the server's descriptor for it
  };
  struct Ended {  // by this object; the server closes its descriptor soon
    ScopedFd fd;
    int handed;
  };

  ConnectionGuard(Options options, Listen listen, HandOver hand_over,
                  Clock& clock, ScopedFd listener, ScopedFd epoll,
                  ScopedFd wake);

  void Loop();
  void Tend() ABSL_LOCKS_EXCLUDED(mutex_);
  int WaitMilliseconds() const ABSL_LOCKS_EXCLUDED(mutex_);

  void Accept() ABSL_LOCKS_EXCLUDED(mutex_);
  // Handles a failed accept4 with `error`; returns true to go on accepting.
  bool OnAcceptError(int error) ABSL_LOCKS_EXCLUDED(mutex_);
  void TakeIn(ScopedFd fd, const PeerAddress& from) ABSL_LOCKS_EXCLUDED(mutex_);
  void ShedOne() ABSL_LOCKS_EXCLUDED(mutex_);
  void MakeListenerAnew();
  void PauseAccepting(absl::Duration pause);

  void OnEvent(uint64_t id, uint32_t events) ABSL_LOCKS_EXCLUDED(mutex_);
  // Looks at the bytes without taking them; drops or hands over a connection
  // whose kind is clear.
  void OnBytes(uint64_t id) ABSL_LOCKS_EXCLUDED(mutex_);
  void Give(uint64_t id) ABSL_LOCKS_EXCLUDED(mutex_);

  void End(const std::vector<ConnectionTable::Cut>& cuts)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void End(uint64_t id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Note(const std::string& reason, const std::string& address)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  size_t Descriptors() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  const Listen listen_;
  const HandOver hand_over_;
  Clock& clock_;

  // For the thread only.
  ScopedFd listener_;  // -1: could not be made; tried again
  ScopedFd spare_;     // given up to accept, and drop, without descriptors
  absl::Time accept_after_ = absl::InfinitePast();

  const ScopedFd epoll_, wake_;
  mutable absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  ConnectionTable table_ ABSL_GUARDED_BY(mutex_);
  std::map<uint64_t, Connection> connections_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, uint64_t> peers_ ABSL_GUARDED_BY(mutex_);
  std::vector<Ended> ended_ ABSL_GUARDED_BY(mutex_);
  size_t handed_ ABSL_GUARDED_BY(mutex_) = 0;  // of connections_
  uint64_t next_id_ ABSL_GUARDED_BY(mutex_);
  CutLog cut_log_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace hilum

#endif  // HILUM_COORDINATOR_SERVICE_CONNECTION_GUARD_H_
