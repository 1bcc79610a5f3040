// SPDX-License-Identifier: Apache-2.0
#include "tests/site_agent/sandbox/attempts.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "site_agent/sandbox/socket_rights.h"

namespace hilum {
namespace {

constexpr uid_t kNobody = 65534;

int ErrnoOf(long result) { return result < 0 ? errno : 0; }

int TryOpen(const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC, 0600);
  const int error = ErrnoOf(fd);
  if (fd >= 0) close(fd);
  return error;
}

int TrySocket(int family, int type) {
  const int fd = socket(family, type, 0);
  const int error = ErrnoOf(fd);
  if (fd >= 0) close(fd);
  return error;
}

int TryAttach(pid_t pid) {
  if (ptrace(PTRACE_ATTACH, pid, nullptr, nullptr) != 0) return errno;
  waitpid(pid, nullptr, __WALL);
  ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
  return 0;
}

int TryReadMemory(const Target& target) {
  char bytes[16];
  iovec here{bytes, sizeof(bytes)};
  iovec there{reinterpret_cast<void*>(target.secret_address), sizeof(bytes)};
  return ErrnoOf(process_vm_readv(target.pid, &here, 1, &there, 1, 0));
}

// Forks first: execve does not come back.
int TryExecute(bool at) {
  const pid_t child = fork();
  if (child == 0) {
    char name[] = "/bin/true";
    char* arguments[] = {name, nullptr};
    char* none[] = {nullptr};
    if (at) {
      syscall(SYS_execveat, AT_FDCWD, name, arguments, none, 0);
    } else {
      execve(name, arguments, none);
    }
    _exit(errno);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace

Outcomes TryProcess(const Target& target) {
  const std::string proc = "/proc/" + std::to_string(target.pid);
  Outcomes outcomes = {
      {"ptrace", TryAttach(target.pid)},
      {"process_vm_readv", TryReadMemory(target)},
      {"mem", TryOpen(proc + "/mem", O_RDONLY)},
      {"environ", TryOpen(proc + "/environ", O_RDONLY)},
  };
  if (target.pid_fd >= 0) {
    outcomes["pidfd_getfd"] =
        ErrnoOf(syscall(SYS_pidfd_getfd, target.pid_fd, target.its_socket, 0));
  }
  return outcomes;
}

Outcomes TryReach(const Target& target) {
  return {{"pidfd_open", ErrnoOf(syscall(SYS_pidfd_open, target.pid, 0))},
          {"kill", ErrnoOf(kill(target.pid, 0))}};
}

Outcomes TryNetwork(int inet_socket, int unix_socket, uint16_t port,
                    const std::string& unix_path) {
  sockaddr_in inet = {};
  inet.sin_family = AF_INET;
  inet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  inet.sin_port = htons(port);
  sockaddr_un local = {};
  local.sun_family = AF_UNIX;
  std::strncpy(local.sun_path, unix_path.c_str(), sizeof(local.sun_path) - 1);
  const int rights = 1;
  return {{"socket inet", TrySocket(AF_INET, SOCK_STREAM)},
          {"socket inet6", TrySocket(AF_INET6, SOCK_STREAM)},
          {"socket unix", TrySocket(AF_UNIX, SOCK_STREAM)},
          {"socket netlink", TrySocket(AF_NETLINK, SOCK_RAW)},
          {"io_uring", ErrnoOf(syscall(SYS_io_uring_setup, 0, nullptr))},
          {"connect inet",
           ErrnoOf(connect(inet_socket, reinterpret_cast<sockaddr*>(&inet),
                           sizeof(inet)))},
          {"connect unix",
           ErrnoOf(connect(unix_socket, reinterpret_cast<sockaddr*>(&local),
                           sizeof(local)))},
          // SO_PASSRIGHTS
          {"setsockopt", ErrnoOf(setsockopt(unix_socket, SOL_SOCKET, 83,
                                            &rights, sizeof(rights)))}};
}

Outcomes TryPrograms() {
  return {{"execve", TryExecute(false)}, {"execveat", TryExecute(true)}};
}

Outcomes TryFiles(const SiteFolder& site) {
  return {{"append to ledger", TryOpen(site.Ledger(), O_WRONLY | O_APPEND)},
          {"empty ledger", TryOpen(site.Ledger(), O_RDONLY | O_TRUNC)},
          {"chmod ledger", ErrnoOf(chmod(site.Ledger().c_str(), 0600))},
          {"link ledger", ErrnoOf(link(site.Ledger().c_str(),
                                       (site.Work() + "/ledger").c_str()))},
          {"symlink", ErrnoOf(symlink(site.Ledger().c_str(),
                                      (site.Work() + "/link").c_str()))},
          {"forge approval", TryOpen(site.Approval(), O_WRONLY | O_CREAT)},
          {"read key", TryOpen(site.Key(), O_RDONLY)},
          {"write blob", TryOpen(site.Blobs() + "/other", O_WRONLY | O_CREAT)},
          {"remove ledger", ErrnoOf(unlink(site.Ledger().c_str()))}};
}

Outcomes TryUpperHalves(int unix_socket) {
  constexpr unsigned long kUpper = 1ul << 32;
  const int on = 1;
  char byte = 'x';
  return {
      {"setsockopt", ErrnoOf(syscall(SYS_setsockopt, unix_socket, SOL_SOCKET,
                                     kUpper | kPassRights, &on, sizeof(on)))},
      {"TIOCSTI",
       ErrnoOf(syscall(SYS_ioctl, unix_socket, kUpper | TIOCSTI, &byte))},
      {"TIOCLINUX",
       ErrnoOf(syscall(SYS_ioctl, unix_socket, kUpper | TIOCLINUX, &byte))}};
}

Outcomes TryProcesses() {
  auto outcome = [](long pid) {
    if (pid == 0) _exit(0);
    const int error = ErrnoOf(pid);
    if (pid > 0) waitpid(static_cast<pid_t>(pid), nullptr, 0);
    return error;
  };
  Outcomes outcomes;
#ifdef SYS_fork
  outcomes["fork call"] = outcome(syscall(SYS_fork));
#endif
  // vfork stops the parent until the child ends; both share the stack.
  const pid_t shared = vfork();
  if (shared == 0) _exit(0);
  outcomes["vfork"] = outcome(shared);
  alignas(16) static char stack[1 << 16];
  outcomes["clone with memory"] =
      outcome(clone([](void*) { return 0; }, stack + sizeof(stack),
                    CLONE_VM | CLONE_VFORK | SIGCHLD, nullptr));
  outcomes["fork"] = outcome(fork());
  return outcomes;
}

int SendDescriptor(int to, int fd) {
  char byte = 'x';
  iovec data{&byte, 1};
  alignas(cmsghdr) char rights[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = rights;
  message.msg_controllen = sizeof(rights);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &fd, sizeof(fd));
  return sendmsg(to, &message, MSG_NOSIGNAL) < 0 ? errno : 0;
}

void BecomeUser() {
  if (geteuid() != 0) return;
  if (setgroups(0, nullptr) != 0 || setgid(kNobody) != 0 ||
      setuid(kNobody) != 0) {
    std::perror("cannot become nobody");
    _exit(99);
  }
  // A program that this user starts is dumpable.
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

Outcomes InUsersChild(const std::function<Outcomes()>& run) {
  int ends[2];
  if (pipe(ends) != 0) return {};
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    BecomeUser();
    std::string text;
    for (const auto& [name, error] : run()) {
      text += name + "\t" + std::to_string(error) + "\n";
    }
    _exit(write(ends[1], text.data(), text.size()) ==
                  static_cast<ssize_t>(text.size())
              ? 0
              : 1);
  }
  close(ends[1]);
  Outcomes outcomes;
  FILE* answers = fdopen(ends[0], "r");
  char name[100];
  int error = 0;
  while (std::fscanf(answers, "%99[^\t]\t%d\n", name, &error) == 2) {
    outcomes[name] = error;
  }
  std::fclose(answers);
  waitpid(child, nullptr, 0);
  return outcomes;
}

int SignalOfUsersChild(const std::function<void()>& run) {
  const pid_t child = fork();
  if (child == 0) {
    BecomeUser();
    run();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

}  // namespace hilum
