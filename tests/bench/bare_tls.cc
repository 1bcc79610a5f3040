// SPDX-License-Identifier: Apache-2.0
// hilum-bench-bare-tls BYTES SITES REPEATS: SITES parallel connections of TLS
// 1.3 over loopback each carry BYTES to the server and BYTES back. Prints the
// seconds of each repeat on a line. run.sh compares a round with these.
#include <arpa/inet.h>
#include <openssl/ec.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr int kBlock = 1 << 20;

void Require(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "hilum-bench-bare-tls: %s\n", what);
  std::exit(1);
}

SSL_CTX* ServerContext() {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  Require(X509_sign(certificate, key, EVP_sha256()) > 0, "cannot sign");
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_use_certificate(context, certificate);
  SSL_CTX_use_PrivateKey(context, key);
  return context;
}

void Send(SSL* ssl, long bytes, const std::string& block) {
  while (bytes > 0) {
    int sent = SSL_write(ssl, block.data(),
                         static_cast<int>(std::min<long>(bytes, kBlock)));
    Require(sent > 0, "cannot send");
    bytes -= sent;
  }
}

void Receive(SSL* ssl, long bytes, std::string& block) {
  while (bytes > 0) {
    int got = SSL_read(ssl, block.data(),
                       static_cast<int>(std::min<long>(bytes, kBlock)));
    Require(got > 0, "cannot receive");
    bytes -= got;
  }
}

void Serve(SSL_CTX* context, int fd, long bytes) {
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, fd);
  Require(SSL_accept(ssl) == 1, "cannot accept");
  std::string block(kBlock, 'x');
  Receive(ssl, bytes, block);
  Send(ssl, bytes, block);
  SSL_free(ssl);
  close(fd);
}

void Visit(SSL_CTX* context, const sockaddr_in& address, long bytes) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  Require(connect(fd, reinterpret_cast<const sockaddr*>(&address),
                  sizeof address) == 0,
          "cannot connect");
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, fd);
  Require(SSL_connect(ssl) == 1, "cannot shake hands");
  std::string block(kBlock, 'x');
  Send(ssl, bytes, block);
  Receive(ssl, bytes, block);
  SSL_free(ssl);
  close(fd);
}

}  // namespace

int main(int argc, char** argv) {
  Require(argc == 4, "wants BYTES SITES REPEATS");
  const long bytes = std::atol(argv[1]);
  const int sites = std::atoi(argv[2]);
  SSL_CTX* server = ServerContext();
  SSL_CTX* client = SSL_CTX_new(TLS_client_method());
  for (SSL_CTX* context : {server, client}) {
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  }
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  Require(bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
              listen(listener, 64) == 0 &&
              getsockname(listener, reinterpret_cast<sockaddr*>(&address),
                          &size) == 0,
          "cannot listen");
  for (int repeat = std::atoi(argv[3]); repeat > 0; --repeat) {
    auto start = std::chrono::steady_clock::now();
    std::vector<std::thread> threads;
    for (int i = 0; i < sites; ++i) {
      threads.emplace_back([&] { Visit(client, address, bytes); });
      int fd = accept(listener, nullptr, nullptr);
      threads.emplace_back([&, fd] { Serve(server, fd, bytes); });
    }
    for (std::thread& thread : threads) thread.join();
    std::chrono::duration<double> took =
        std::chrono::steady_clock::now() - start;
    std::printf("%.4f\n", took.count());
  }
  return 0;
}
