// SPDX-License-Identifier: Apache-2.0
#include "tests/common/crypto/tls/fake_servers.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "common/crypto/openssl_types.h"

namespace hilum {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in name = {};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  name.sin_port = htons(static_cast<uint16_t>(port));
  return name;
}

// Returns a socket bound to a free port, and that port.
ScopedFd BoundSocket(int& port) {
  ScopedFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in name = Loopback(0);
  socklen_t size = sizeof name;
  auto* generic = reinterpret_cast<sockaddr*>(&name);
  EXPECT_EQ(bind(fd.get(), generic, size), 0);
  EXPECT_EQ(getsockname(fd.get(), generic, &size), 0);
  port = ntohs(name.sin_port);
  return fd;
}

// Reads until the client has ended.
void Drain(int fd) {
  char bytes[4096];
  while (recv(fd, bytes, sizeof bytes, 0) > 0) {
  }
}

int AnyCertificate(int, X509_STORE_CTX*) { return 1; }

}  // namespace

Identity MakeIdentity(const RequestedName& name, const Authority& authority,
                      absl::Time from, int days) {
  const Request request = MakeRequest(name).value();
  Identity identity;
  identity.authority_pem = authority.certificate_pem;
  identity.private_key_pem = request.private_key_pem;
  identity.certificate_pem =
      SignRequest(authority, request.request_pem, days, from).value();
  return identity;
}

ScopedFd ConnectToLoopback(int port) {
  ScopedFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in name = Loopback(port);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&name),
              sizeof name) != 0) {
    fd.Close();
    return ScopedFd();
  }
  fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
  return fd;
}

LoopbackServer::LoopbackServer(std::function<void(int fd)> serve)
    : serve_(std::move(serve)),
      listening_(BoundSocket(port_)),
      stop_(eventfd(0, EFD_CLOEXEC)) {
  EXPECT_EQ(listen(listening_.get(), 16), 0);
  thread_ = std::thread([this] { Run(); });
}

LoopbackServer::~LoopbackServer() {
  eventfd_write(stop_.get(), 1);
  thread_.join();
}

void LoopbackServer::Run() {
  for (;;) {
    pollfd waits[] = {{listening_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    if (poll(waits, 2, -1) < 0 && errno == EINTR) continue;
    if (waits[1].revents != 0) return;
    const ScopedFd fd(
        accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (fd.get() < 0) continue;
    ++count_;
    const timeval patience = {20, 0};
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    serve_(fd.get());
  }
}

std::function<void(int)> Answering(std::string answer) {
  return [answer = std::move(answer)](int fd) {
    char bytes[4096];
    if (recv(fd, bytes, sizeof bytes, 0) <= 0) return;
    send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    Drain(fd);
  };
}

std::function<void(int)> Silent() { return Drain; }

std::function<void(int)> Closing() {
  return [](int fd) {
    char bytes[4096];
    recv(fd, bytes, sizeof bytes, 0);
  };
}

std::function<void(int)> ShakingHands(const Identity& identity, bool only_tls12,
                                      std::atomic<bool>* shown) {
  return [identity, only_tls12, shown](int fd) {
    const std::unique_ptr<SSL_CTX, OpenSslFree<SSL_CTX_free>> context(
        SSL_CTX_new(TLS_server_method()));
    SSL_CTX_use_certificate(context.get(),
                            ReadCertificatePem(identity.certificate_pem).get());
    SSL_CTX_use_PrivateKey(context.get(),
                           ReadPrivateKeyPem(identity.private_key_pem).get());
    if (only_tls12) {
      SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
    }
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, AnyCertificate);
    const std::unique_ptr<SSL, OpenSslFree<SSL_free>> ssl(
        SSL_new(context.get()));
    SSL_set_fd(ssl.get(), fd);
    if (SSL_accept(ssl.get()) != 1) return;
    const UniqueX509 client(SSL_get1_peer_certificate(ssl.get()));
    if (shown != nullptr && client != nullptr) *shown = true;
    SSL_write(ssl.get(), "x", 1);
    Drain(fd);
  };
}

DroppingPort::DroppingPort() : listening_(BoundSocket(port_)) {
  EXPECT_EQ(listen(listening_.get(), 0), 0);
  const sockaddr_in name = Loopback(port_);
  for (int i = 0; i < 8; ++i) {
    ScopedFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    connect(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name);
    queued_.push_back(std::move(fd));
  }
}

int ClosedPort() {
  int port = 0;
  BoundSocket(port).Close();
  return port;
}

}  // namespace hilum
