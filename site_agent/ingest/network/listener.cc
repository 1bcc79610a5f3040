// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/network/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <exception>
#include <ostream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/status_macros.h"
#include "common/cli/usage.h"
#include "site_agent/ingest/network/waiting_connections.h"

namespace hilum {
namespace {

constexpr rlim_t kAssociationBytes = 256 << 20;
constexpr absl::Duration kGrace = absl::Seconds(10);

volatile std::sig_atomic_t stop = 0;

void OnStop(int) { stop = 1; }
void OnChild(int) {}

void Handle(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigaction(signal, &action, nullptr);
}

// Delivers signals only while the listener waits, so that it misses none.
// Restores the former state.
class SignalScope {
 public:
  SignalScope() {
    sigset_t held;
    sigemptyset(&held);
    for (int signal : {SIGTERM, SIGINT, SIGCHLD}) sigaddset(&held, signal);
    sigprocmask(SIG_BLOCK, &held, &before_);
    stop = 0;
    Handle(SIGTERM, OnStop);
    Handle(SIGINT, OnStop);
    Handle(SIGCHLD, OnChild);
    Handle(SIGPIPE, SIG_IGN);
  }
  ~SignalScope() { Open(); }

  void Open() const { sigprocmask(SIG_SETMASK, &before_, nullptr); }
  const sigset_t& open_mask() const { return before_; }

 private:
  sigset_t before_;
};

// Runs in the child, for its one association.
[[noreturn]] void RunAssociation(ScopedFd connection, const ScpOptions& options,
                                 IntakeChannel& intake, pid_t parent,
                                 std::ostream& log) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(1);
#ifndef __SANITIZE_ADDRESS__
  const rlimit memory = {kAssociationBytes, kAssociationBytes};
  setrlimit(RLIMIT_DATA, &memory);
#endif
  try {
    ServeAssociation(std::move(connection), options, intake, stop, log);
  } catch (const std::exception& error) {
    log << "warning: association ended: " << error.what() << std::endl;
  }
  _exit(0);
}

class Server {
 public:
  Server(int socket, IntakeProcess& intake, const ScpOptions& options,
         std::ostream& log)
      : socket_(socket),
        intake_(intake),
        options_(options),
        log_(log),
        waiting_(options.tls != nullptr ? FirstMessage::kTlsRecord
                                        : FirstMessage::kAssociationRequest) {}

  absl::Status Run() {
    absl::Status status;
    while (stop == 0 && status.ok()) {
      if (Wait()) Accept();
      Reap();
      status = Serve();
      if (status.ok() && IntakeEnded()) {
        status = absl::InternalError(
            "the process that decodes has ended; what was acknowledged is in "
            "the store, start hilum-ingest again");
      }
    }
    End();
    return status;
  }

 private:
  struct Child {
    pid_t pid;
    uint32_t address;
  };

  // Waits; returns whether a connection can be accepted.
  bool Wait() {
    std::vector<pollfd> polls = {
        {waiting_.HasRoom() ? socket_ : -1, POLLIN, 0}};
    waiting_.AppendPolls(polls);
    const timespec second = absl::ToTimespec(absl::Seconds(1));
    const int ready =
        ppoll(polls.data(), polls.size(),
              waiting_.size() > 0 ? &second : nullptr, &signals_.open_mask());
    return ready > 0 && polls[0].revents != 0;
  }

  void Accept() {
    ScopedFd connection(accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC));
    if (connection.get() < 0) return;  // the peer has gone
    const uint32_t address = AddressOfPeer(connection.get());
    if (!MayConnect(options_, address)) {
      log_ << PeerText(address) << ": closed: no --allow names its address"
           << std::endl;
      return;
    }
    waiting_.Add({std::move(connection), address}, RealClock().Now());
  }

  bool HasProcess(uint32_t address) const {
    const auto of_address =
        std::count_if(children_.begin(), children_.end(),
                      [&](const Child& c) { return c.address == address; });
    return children_.size() < kMaxAssociations &&
           static_cast<size_t>(of_address) < kMaxAssociationsPerAddress;
  }

  // Starts the associations whose first message has arrived.
  absl::Status Serve() {
    waiting_.Look(RealClock().Now());
    while (auto connection =
               waiting_.Take([&](uint32_t a) { return HasProcess(a); })) {
      HILUM_RETURN_IF_ERROR(Start(*std::move(connection)));
    }
    return absl::OkStatus();
  }

  absl::Status Start(WaitingConnections::Connection connection) {
    HILUM_ASSIGN_OR_RETURN(IntakeChannel channel, intake_.Open());
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child == 0) {
      close(socket_);
      waiting_.CloseAll();
      signals_.Open();
      RunAssociation(std::move(connection.fd), options_, channel, parent, log_);
    }
    if (child < 0) {
      log_ << "warning: no process for an association: " << std::strerror(errno)
           << std::endl;
    } else {
      children_.push_back({child, connection.address});
    }
    return absl::OkStatus();
  }

  void Reap() {
    std::vector<Child> running;
    for (const Child& child : children_) {
      int status = 0;
      if (waitpid(child.pid, &status, WNOHANG) == 0) {
        running.push_back(child);
      } else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
        log_ << "warning: " << PeerText(child.address)
             << ": closed: no association in time" << std::endl;
      } else if (WIFSIGNALED(status)) {
        log_ << "warning: an association's process ended by signal "
             << WTERMSIG(status) << std::endl;
      }
    }
    children_ = std::move(running);
  }

  // Leaves the status for Finish. Knows nothing if another process is the
  // parent.
  bool IntakeEnded() const {
    siginfo_t info = {};
    return waitid(P_PID, static_cast<id_t>(intake_.pid()), &info,
                  WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid != 0;
  }

  void End() {
    waiting_.CloseAll();
    for (const Child& child : children_) kill(child.pid, SIGTERM);
    const absl::Time last = RealClock().Now() + kGrace;
    for (Reap(); !children_.empty() && RealClock().Now() < last; Reap()) {
      const timespec second = absl::ToTimespec(absl::Seconds(1));
      ppoll(nullptr, 0, &second, &signals_.open_mask());
    }
    for (const Child& child : children_) {
      kill(child.pid, SIGKILL);
      waitpid(child.pid, nullptr, 0);
    }
  }

  const int socket_;
  IntakeProcess& intake_;
  const ScpOptions& options_;
  std::ostream& log_;
  SignalScope signals_;
  WaitingConnections waiting_;
  std::vector<Child> children_;
};

}  // namespace

absl::StatusOr<Listener> Listener::Open(const std::string& address, int port) {
  sockaddr_in name = {};
  name.sin_family = AF_INET;
  name.sin_port = htons(static_cast<uint16_t>(port));
  if (inet_pton(AF_INET, address.c_str(), &name.sin_addr) != 1) {
    return UsageError(absl::StrCat("--bind ", address, ": no IPv4 address"));
  }
  ScopedFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  socklen_t size = sizeof name;
  auto* generic = reinterpret_cast<sockaddr*>(&name);
  if (fd.get() < 0 ||
      setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      bind(fd.get(), generic, size) != 0 || listen(fd.get(), SOMAXCONN) != 0 ||
      getsockname(fd.get(), generic, &size) != 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", address, ":", port, ": ",
                     std::strerror(errno), "; give another --port"));
  }
  return Listener(std::move(fd), ntohs(name.sin_port));
}

absl::Status Listener::Serve(IntakeProcess& intake, const ScpOptions& options,
                             std::ostream& log,
                             const std::function<void()>& ready) {
  Server server(socket_.get(), intake, options, log);
  ready();
  const absl::Status status = server.Run();
  socket_.Close();
  return status;
}

}  // namespace hilum
