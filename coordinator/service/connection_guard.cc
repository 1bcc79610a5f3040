// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/connection_guard.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coordinator/service/client_hello.h"

namespace hilum {
namespace {

constexpr uint64_t kListener = 0, kWake = 1, kFirstId = 2;
constexpr int kEvents = 64;
constexpr int kAcceptsAtOnce = 64;
constexpr absl::Duration kShortPause = absl::Milliseconds(10);
constexpr absl::Duration kLongPause = absl::Seconds(1);
constexpr absl::Duration kLongestWait = absl::Seconds(1);

ScopedFd OpenSpare() {
  return ScopedFd(open("/dev/null", O_RDONLY | O_CLOEXEC));
}

void Watch(int epoll, int operation, int fd, uint64_t id, uint32_t events) {
  epoll_event event = {};
  event.events = events;
  event.data.u64 = id;
  epoll_ctl(epoll, operation, fd, &event);
}

// Returns whether `fd` is still a descriptor of the same socket as `own`.
bool IsSameSocket(int fd, int own) {
  struct stat theirs = {}, ours = {};
  return fstat(fd, &theirs) == 0 && fstat(own, &ours) == 0 &&
         theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev;
}

std::string Reason(ConnectionTable::Why why,
                   const ConnectionTable::Limits& limits) {
  using Why = ConnectionTable::Why;
  switch (why) {
    case Why::kNoHello:
      return absl::StrCat("no TLS ClientHello within ",
                          absl::FormatDuration(limits.hello));
    case Why::kNoCall:
      return absl::StrCat("no call with a site's certificate within ",
                          absl::FormatDuration(limits.first_call));
    case Why::kAddressIsFull:
      return absl::StrCat("made room for a newer one; the address had ",
                          limits.per_address,
                          " without a certificate "
                          "(limits.connections_per_address)");
    case Why::kAllIsFull:
      return absl::StrCat("made room for a newer one; there were ",
                          limits.in_all, " (limits.connections)");
    case Why::kSiteIsFull:
      break;
  }
  return absl::StrCat("made room for a newer one of the same site, which had ",
                      limits.per_site);
}

}  // namespace

absl::StatusOr<std::unique_ptr<ConnectionGuard>> ConnectionGuard::Create(
    Options options, Listen listen, HandOver hand_over, Clock& clock) {
  absl::StatusOr<ScopedFd> listener = listen();
  if (!listener.ok()) return listener.status();
  ScopedFd epoll(epoll_create1(EPOLL_CLOEXEC));
  ScopedFd wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (epoll.get() < 0 || wake.get() < 0) {
    return absl::ErrnoToStatus(errno, "cannot watch connections");
  }
  return std::unique_ptr<ConnectionGuard>(new ConnectionGuard(
      std::move(options), std::move(listen), std::move(hand_over), clock,
      *std::move(listener), std::move(epoll), std::move(wake)));
}

ConnectionGuard::ConnectionGuard(Options options, Listen listen,
                                 HandOver hand_over, Clock& clock,
                                 ScopedFd listener, ScopedFd epoll,
                                 ScopedFd wake)
    : options_(std::move(options)),
      listen_(std::move(listen)),
      hand_over_(std::move(hand_over)),
      clock_(clock),
      listener_(std::move(listener)),
      spare_(OpenSpare()),
      epoll_(std::move(epoll)),
      wake_(std::move(wake)),
      table_(options_.limits),
      next_id_(kFirstId),
      cut_log_(options_.log) {
  Watch(epoll_.get(), EPOLL_CTL_ADD, listener_.get(), kListener, EPOLLIN);
  Watch(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), kWake, EPOLLIN);
}

ConnectionGuard::~ConnectionGuard() { Stop(); }

void ConnectionGuard::Start() {
  thread_ = std::thread([this] { Loop(); });
}

void ConnectionGuard::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
  }
  const uint64_t one = 1;
  while (write(wake_.get(), &one, sizeof(one)) < 0 && errno == EINTR) {
  }
  if (thread_.joinable()) thread_.join();
  listener_.Close();
}

void ConnectionGuard::Name(const std::string& peer, const SiteId& site) {
  absl::MutexLock lock(&mutex_);
  auto found = peers_.find(peer);
  if (found == peers_.end()) return;
  std::vector<ConnectionTable::Cut> cuts;
  table_.Name(found->second, site.name(), cuts);
  End(cuts);
}

size_t ConnectionGuard::size() const {
  absl::MutexLock lock(&mutex_);
  return connections_.size() + ended_.size();
}

void ConnectionGuard::Loop() {
  epoll_event events[kEvents];
  for (;;) {
    const int count =
        epoll_wait(epoll_.get(), events, kEvents, WaitMilliseconds());
    {
      absl::MutexLock lock(&mutex_);
      if (stopped_) return;
    }
    bool accepts = false;
    for (int i = 0; i < count; ++i) {
      if (events[i].data.u64 == kListener) {
        accepts = true;
      } else if (events[i].data.u64 != kWake) {
        OnEvent(events[i].data.u64, events[i].events);
      }
    }
    Tend();
    if (accepts && accept_after_ == absl::InfinitePast()) Accept();
  }
}

int ConnectionGuard::WaitMilliseconds() const {
  absl::MutexLock lock(&mutex_);
  const absl::Time now = clock_.Now();
  absl::Time until = std::min(table_.NextDeadline(), cut_log_.NextFlush());
  if (accept_after_ != absl::InfinitePast()) {
    until = std::min(until, accept_after_);
  }
  if (!ended_.empty()) until = std::min(until, now + kShortPause);
  const absl::Duration wait =
      std::clamp(until - now, absl::ZeroDuration(), kLongestWait);
  return static_cast<int>(
      absl::ToInt64Milliseconds(absl::Ceil(wait, absl::Milliseconds(1))));
}

void ConnectionGuard::Tend() {
  const absl::Time now = clock_.Now();
  {
    absl::MutexLock lock(&mutex_);
    End(table_.TakeLate(now));
    std::erase_if(ended_, [](const Ended& ended) {
      return !IsSameSocket(ended.handed, ended.fd.get());
    });
    cut_log_.Flush(now);
  }
  if (accept_after_ == absl::InfinitePast() || now < accept_after_) return;
  accept_after_ = absl::InfinitePast();
  if (listener_.get() < 0) {
    MakeListenerAnew();
  } else {
    Watch(epoll_.get(), EPOLL_CTL_MOD, listener_.get(), kListener, EPOLLIN);
  }
}

void ConnectionGuard::Accept() {
  for (int i = 0; i < kAcceptsAtOnce; ++i) {
    {
      absl::MutexLock lock(&mutex_);
      // A cut connection keeps its descriptors until the server has noticed.
      // New connections wait in the kernel's queue meanwhile.
      if (Descriptors() + 2 > options_.descriptors) {
        PauseAccepting(kShortPause);
        return;
      }
    }
    sockaddr_storage from = {};
    socklen_t size = sizeof(from);
    ScopedFd fd(accept4(listener_.get(), reinterpret_cast<sockaddr*>(&from),
                        &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.get() >= 0) {
      TakeIn(std::move(fd), DescribePeer(from));
    } else if (!OnAcceptError(errno)) {
      return;
    }
  }
}

bool ConnectionGuard::OnAcceptError(int error) {
  switch (error) {
    case EAGAIN:
      return false;
    case EMFILE:
    case ENFILE:
      ShedOne();
      return true;
    case ENOBUFS:
    case ENOMEM: {
      absl::MutexLock lock(&mutex_);
      Note("the kernel has no memory for connections", "all addresses");
      PauseAccepting(kShortPause);
      return false;
    }
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
    case EOPNOTSUPP:
    case EFAULT:
      options_.log(absl::StrCat("warning: accepting connections has stopped: ",
                                std::strerror(error), "; listening anew"));
      MakeListenerAnew();
      return false;
    default:  // about one connection, which is gone already
      return true;
  }
}

void ConnectionGuard::ShedOne() {
  spare_.Close();
  spare_ = ScopedFd(-1);
  sockaddr_storage from = {};
  socklen_t size = sizeof(from);
  ScopedFd fd(accept4(listener_.get(), reinterpret_cast<sockaddr*>(&from),
                      &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  const bool dropped = fd.get() >= 0;
  fd.Close();
  spare_ = OpenSpare();
  if (!dropped) PauseAccepting(kShortPause);
  absl::MutexLock lock(&mutex_);
  Note(
      "this process has no file descriptor left; raise the limit of open "
      "files (LimitNOFILE)",
      dropped ? DescribePeer(from).address : "all addresses");
}

void ConnectionGuard::MakeListenerAnew() {
  listener_ = ScopedFd(-1);  // its port is free now
  absl::StatusOr<ScopedFd> listener = listen_();
  if (listener.ok()) {
    listener_ = *std::move(listener);
    Watch(epoll_.get(), EPOLL_CTL_ADD, listener_.get(), kListener, EPOLLIN);
    return;
  }
  options_.log(absl::StrCat("warning: cannot listen, trying again soon: ",
                            listener.status().message()));
  PauseAccepting(kLongPause);
}

void ConnectionGuard::PauseAccepting(absl::Duration pause) {
  accept_after_ = clock_.Now() + pause;
  if (listener_.get() >= 0) {
    Watch(epoll_.get(), EPOLL_CTL_MOD, listener_.get(), kListener, 0);
  }
}

void ConnectionGuard::TakeIn(ScopedFd fd, const PeerAddress& from) {
  uint64_t id = 0;
  {
    absl::MutexLock lock(&mutex_);
    id = next_id_++;
    std::vector<ConnectionTable::Cut> cuts;
    if (!table_.Add(id, from.address, clock_.Now(), cuts)) {
      Note("all connections are of sites (limits.connections)", from.address);
      return;
    }
    End(cuts);
    if (options_.awaits_hello) peers_[from.peer] = id;
    // Each arrival of bytes is reported once: the bytes stay in the socket.
    Watch(epoll_.get(), EPOLL_CTL_ADD, fd.get(), id,
          EPOLLIN | EPOLLRDHUP | EPOLLET);
    connections_[id] = {std::move(fd), from.peer, -1};
  }
  if (!options_.awaits_hello) Give(id);
}

void ConnectionGuard::OnEvent(uint64_t id, uint32_t events) {
  {
    absl::MutexLock lock(&mutex_);
    auto found = connections_.find(id);
    if (found == connections_.end()) return;
    const bool over = found->second.handed >= 0
                          ? (events & (EPOLLHUP | EPOLLERR)) != 0
                          : (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0;
    if (over) {
      table_.Remove(id);
      End(id);
      return;
    }
    if (found->second.handed >= 0) return;
  }
  OnBytes(id);
}

void ConnectionGuard::OnBytes(uint64_t id) {
  {
    absl::MutexLock lock(&mutex_);
    Connection& connection = connections_.at(id);
    char head[kHelloHeadBytes];
    const ssize_t known =
        recv(connection.fd.get(), head, sizeof(head), MSG_PEEK | MSG_DONTWAIT);
    if (known < 0 && (errno == EAGAIN || errno == EINTR)) return;
    int available = 0;
    ioctl(connection.fd.get(), FIONREAD, &available);
    Hello hello = Hello::kNone;
    if (known > 0) {
      hello = JudgeHello(absl::string_view(head, static_cast<size_t>(known)),
                         static_cast<size_t>(available));
    }
    if (hello == Hello::kPart) return;
    if (hello == Hello::kNone) {
      if (known > 0) {
        Note("what it sent is no TLS ClientHello", table_.AddressOf(id));
      }
      table_.Remove(id);
      End(id);
      return;
    }
  }
  Give(id);
}

void ConnectionGuard::Give(uint64_t id) {
  int handed = -1;
  {
    absl::MutexLock lock(&mutex_);
    auto found = connections_.find(id);
    if (found == connections_.end()) return;
    Connection& connection = found->second;
    handed = fcntl(connection.fd.get(), F_DUPFD_CLOEXEC, 0);
    if (handed < 0) {
      Note(
          "this process has no file descriptor left; raise the limit of open "
          "files (LimitNOFILE)",
          table_.AddressOf(id));
      table_.Remove(id);
      End(id);
      return;
    }
    connection.handed = handed;
    ++handed_;
    table_.HandOver(id, clock_.Now());
    // The end of a connection is always reported.
    Watch(epoll_.get(), EPOLL_CTL_MOD, connection.fd.get(), id, EPOLLET);
  }
  hand_over_(handed);
}

void ConnectionGuard::End(const std::vector<ConnectionTable::Cut>& cuts) {
  for (const ConnectionTable::Cut& cut : cuts) {
    End(cut.id);
    Note(Reason(cut.why, options_.limits), cut.address);
  }
}

void ConnectionGuard::End(uint64_t id) {
  auto found = connections_.find(id);
  if (found == connections_.end()) return;
  Connection connection = std::move(found->second);
  connections_.erase(found);
  auto peer = peers_.find(connection.peer);
  if (peer != peers_.end() && peer->second == id) peers_.erase(peer);
  if (connection.handed < 0) return;  // closes
  --handed_;
  // The server's descriptor is of the same connection, so it sees the end.
  shutdown(connection.fd.get(), SHUT_RDWR);
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, connection.fd.get(), nullptr);
  ended_.push_back({std::move(connection.fd), connection.handed});
}

void ConnectionGuard::Note(const std::string& reason,
                           const std::string& address) {
  cut_log_.Note(reason, address, clock_.Now());
}

size_t ConnectionGuard::Descriptors() const {
  return connections_.size() + handed_ + 2 * ended_.size();
}

}  // namespace hilum
