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

// Stands between a listening socket and the server behind it, with a thread
// of its own. It accepts, holds a connection until its first bytes are a
// whole TLS ClientHello, and only then hands its descriptor to the server. It
// counts connections until the server has closed them, and cuts those that
// ConnectionTable says. It never stops accepting: without descriptors it
// drops what it cannot take, and a listening socket that fails is made anew.
//
// gRPC 1.51's own accept loop ends for good with the first accept that lacks
// a descriptor (CVE-2023-4785). Thread-safe.
class ConnectionGuard {
 public:
  struct Options {
    ConnectionTable::Limits limits;
    // Descriptors it holds at most, the server's of its connections included.
    size_t descriptors = 4000;
    bool awaits_hello = true;  // false: hands over at once
    std::function<void(absl::string_view)> log = [](absl::string_view) {};
  };
  // Makes the listening socket, non-blocking: called at the start, and again
  // when accepting fails for another reason than too many connections.
  using Listen = std::function<absl::StatusOr<ScopedFd>()>;
  // Takes the descriptor over and closes it when the connection ends.
  using HandOver = std::function<void(int fd)>;

  // Listens. The status is that of `listen`.
  static absl::StatusOr<std::unique_ptr<ConnectionGuard>> Create(
      Options options, Listen listen, HandOver hand_over, Clock& clock);
  ~ConnectionGuard();

  // Accepts from here on. Call once.
  void Start();
  // Stops accepting. Call before the server behind it stops, and destroy this
  // object when no call comes any more.
  void Stop();

  // A call of `site` came over the connection from `peer`
  // (PeerAddress::peer).
  void Name(const std::string& peer, const SiteId& site);

  // Connections that are not closed, for tests.
  size_t size() const;

 private:
  struct Connection {
    ScopedFd fd;  // this object's; watched for the end once handed over
    std::string peer;
    int handed = -1;  // the server's descriptor of it
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
  // What to do after accept4 has failed with `error`; true: go on accepting.
  bool OnAcceptError(int error) ABSL_LOCKS_EXCLUDED(mutex_);
  void TakeIn(ScopedFd fd, const PeerAddress& from) ABSL_LOCKS_EXCLUDED(mutex_);
  void ShedOne() ABSL_LOCKS_EXCLUDED(mutex_);
  void MakeListenerAnew();
  void PauseAccepting(absl::Duration pause);

  void OnEvent(uint64_t id, uint32_t events) ABSL_LOCKS_EXCLUDED(mutex_);
  // Reads without taking; drops or hands over what has decided itself.
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

  // Of the thread alone.
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
