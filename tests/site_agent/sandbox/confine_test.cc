// SPDX-License-Identifier: Apache-2.0
#include "site_agent/sandbox/confine.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "common/base/file.h"
#include "gtest/gtest.h"
#include "site_agent/imaging/decode/decode.h"

namespace hilum {
namespace {

// Returns 0 if a TCP connection to this loopback port is made, else errno.
int TryConnect(uint16_t port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) return errno;
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  int rc = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address));
  int error = rc == 0 ? 0 : errno;
  close(fd);
  return error;
}

// Returns the number of the first check that fails in a child without network,
// or 0.
int CheckInside(uint16_t port) {
  if (TryConnect(port) != 0) return 1;  // works before confinement
  if (!Confine({}).ok()) return 2;
  if (TryConnect(port) != EPERM) return 3;
  for (int family : {AF_INET, AF_INET6, AF_PACKET, AF_NETLINK, AF_VSOCK}) {
    if (socket(family, SOCK_DGRAM, 0) >= 0 || errno != EPERM) return 4;
  }
  // Uses the raw call, with bits in the upper half, which the kernel ignores.
  if (syscall(SYS_socket, (1ull << 32) | AF_INET, SOCK_STREAM, 0) >= 0) {
    return 5;
  }
  if (errno != EPERM) return 6;
  if (syscall(SYS_io_uring_setup, 1, nullptr) >= 0 || errno != EPERM) return 7;
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 || errno != EPERM) {
    return 8;
  }
  pid_t child = fork();  // a child of the child is inside, too
  if (child == 0) _exit(TryConnect(port) == EPERM ? 0 : 1);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 9;
}

// Listens on loopback for its lifetime.
class Listener {
 public:
  Listener() : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    listens_ = bind(fd_, generic, sizeof(address)) == 0 &&
               listen(fd_, 8) == 0 && getsockname(fd_, generic, &length) == 0;
    port_ = ntohs(address.sin_port);
  }
  ~Listener() { close(fd_); }
  bool listens() const { return listens_; }
  uint16_t port() const { return port_; }

 private:
  const int fd_;
  bool listens_;
  uint16_t port_;
};

// Returns the result of `check` in a child process; -1: the child died.
template <typename Check>
int InChild(const Check& check) {
  pid_t child = fork();
  if (child == 0) _exit(check());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(ConfineTest, TheKernelRefusesEverySocket) {
  const Listener outside;
  ASSERT_TRUE(outside.listens());
  EXPECT_EQ(InChild([&] { return CheckInside(outside.port()); }), 0)
      << "number of the failed check";
  EXPECT_EQ(TryConnect(outside.port()), 0);  // only the child is confined
}

constexpr int kRefused = 77;  // this user may make no namespaces

// Returns the number of the first check that fails in a child with a loopback
// of its own, or 0.
int CheckOwnLoopback(uint16_t outside) {
  if (TryConnect(outside) != 0) return 1;
  const absl::Status denied = Confine({.own_loopback = true});
  if (absl::IsUnavailable(denied)) return kRefused;
  if (!denied.ok()) return 2;
  // The listener outside cannot be reached.
  if (TryConnect(outside) != ECONNREFUSED) return 3;
  for (int family : {AF_INET6, AF_UNIX, AF_PACKET, AF_VSOCK}) {
    if (socket(family, SOCK_DGRAM, 0) >= 0 || errno != EPERM) return 4;
  }
  // No other network can be reached.
  sockaddr_in far = {};
  far.sin_family = AF_INET;
  far.sin_port = htons(443);
  inet_pton(AF_INET, "192.0.2.1", &far.sin_addr);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, reinterpret_cast<sockaddr*>(&far), sizeof(far)) == 0 ||
      errno != ENETUNREACH) {
    return 5;
  }
  // Its processes can reach each other.
  const Listener inside;
  if (!inside.listens()) return 6;
  return TryConnect(inside.port()) == 0 ? 0 : 7;
}

TEST(ConfineTest, ItsOwnLoopbackLeadsNowhereElse) {
  const Listener outside;
  ASSERT_TRUE(outside.listens());
  const int failed = InChild([&] { return CheckOwnLoopback(outside.port()); });
  if (failed == kRefused) {
    GTEST_SKIP() << "this system has no network namespaces for this user";
  }
  EXPECT_EQ(failed, 0) << "number of the failed check";
}

// The number of kinds of DICOM file that cannot be decoded inside.
int UndecodedInside() {
  if (!Confine({.read = {HILUM_SOURCE_DIR "/tests/fuzz/corpus"}}).ok()) {
    return 100;
  }
  int undecoded = 0;
  for (const char* kind :
       {"explicit", "implicit", "big_endian", "deflated", "rle",
        "jpeg_baseline", "jpeg_extended", "jpeg_lossless", "jpeg_ls",
        "jpeg_ls_near", "jpeg2000", "jpeg2000_lossy"}) {
    auto bytes = ReadFile(
        std::string(HILUM_SOURCE_DIR "/tests/fuzz/corpus/dicom/") + kind);
    if (!bytes.ok() || !DecodeImage(*bytes).ok()) ++undecoded;
  }
  return undecoded;
}

TEST(ConfineTest, DicomIsDecodedInside) {
  EXPECT_EQ(InChild(UndecodedInside), 0) << "kinds that were not decoded";
}

}  // namespace
}  // namespace hilum
