// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/tls/tls_probe.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "absl/strings/string_view.h"
#include "common/base/clock.h"
#include "common/base/printable.h"
#include "common/crypto/openssl_types.h"

namespace hilum {
namespace {

using Outcome = TlsPeer::Outcome;
using UniqueContext = std::unique_ptr<SSL_CTX, OpenSslFree<SSL_CTX_free>>;
using UniqueSsl = std::unique_ptr<SSL, OpenSslFree<SSL_free>>;

constexpr size_t kShownBytes = 60;  // of an answer without TLS

Outcome OutcomeOf(int verify_error) {
  switch (verify_error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return Outcome::kExpired;
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return Outcome::kNotYetValid;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return Outcome::kOtherName;
    default:
      return Outcome::kOtherAuthority;
  }
}

std::string PemOf(X509* certificate) {
  UniqueBio bio(BIO_new(BIO_s_mem()));
  if (certificate == nullptr ||
      PEM_write_bio_X509(bio.get(), certificate) != 1) {
    return "";
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

int SlotOfPeer() {
  static const int slot =
      SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return slot;
}

// Notes the certificate that the peer shows and the first fault of its chain;
// stops there.
int OnCertificate(int good, X509_STORE_CTX* store) {
  SSL* ssl = static_cast<SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  TlsPeer& peer = *static_cast<TlsPeer*>(SSL_get_ex_data(ssl, SlotOfPeer()));
  peer.version = SSL_get_version(ssl);
  if (!peer.certificate.has_value()) {
    auto shown = ParseCertificate(PemOf(X509_STORE_CTX_get0_cert(store)));
    if (shown.ok()) peer.certificate = *std::move(shown);
  }
  if (good == 1) return 1;
  const int error = X509_STORE_CTX_get_error(store);
  peer.outcome = OutcomeOf(error);
  peer.detail = X509_verify_cert_error_string(error);
  return 0;
}

UniqueContext MakeContext(const Identity& identity) {
  UniqueContext context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr) return nullptr;
  const UniqueX509 authority = ReadCertificatePem(identity.authority_pem);
  const UniqueX509 own = ReadCertificatePem(identity.certificate_pem);
  const UniqueKey key = ReadPrivateKeyPem(identity.private_key_pem);
  if (authority != nullptr) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), authority.get());
  }
  if (own != nullptr && key != nullptr) {
    SSL_CTX_use_certificate(context.get(), own.get());
    SSL_CTX_use_PrivateKey(context.get(), key.get());
  }
  // Allows 1.2, so that a peer without 1.3 shows its certificate.
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, OnCertificate);
  const unsigned char http2[] = {2, 'h', '2'};
  SSL_CTX_set_alpn_protos(context.get(), http2, sizeof http2);
  return context;
}

class Probe {
 public:
  Probe(int fd, const TlsProbeOptions& options)
      : fd_(fd),
        options_(options),
        context_(MakeContext(*options.identity)),
        ssl_(context_ == nullptr ? nullptr : SSL_new(context_.get())) {}

  TlsPeer Run() {
    if (ssl_ == nullptr || !Connect()) {
      peer_.outcome = Outcome::kClosed;
      peer_.detail = "no TLS in this OpenSSL";
      return peer_;
    }
    SSL_set_ex_data(ssl_.get(), SlotOfPeer(), &peer_);
    NameHost();
    ERR_clear_error();
    deadline_ = RealClock().Now() + options_.patience;
    if (!Shake()) return peer_;
    peer_.version = SSL_get_version(ssl_.get());
    if (SSL_version(ssl_.get()) < TLS1_3_VERSION) {
      peer_.outcome = Outcome::kOldTls;
      return peer_;
    }
    return Listen();
  }

 private:
  // Lets TLS write into the socket, but read from an empty buffer: OpenSSL
  // would consume an answer that is no TLS before SpeaksTls sees it.
  bool Connect() {
    BIO* empty = BIO_new(BIO_s_mem());
    BIO* socket = BIO_new_socket(fd_, BIO_NOCLOSE);
    SSL_set_bio(ssl_.get(), empty, socket);
    return empty != nullptr && socket != nullptr;
  }

  // Lets TLS read from the socket.
  bool ReadSocket() {
    BIO* socket = BIO_new_socket(fd_, BIO_NOCLOSE);
    if (socket == nullptr) return End(Outcome::kClosed);
    SSL_set0_rbio(ssl_.get(), socket);
    return true;
  }

  void NameHost() {
    X509_VERIFY_PARAM* wanted = SSL_get0_param(ssl_.get());
    if (X509_VERIFY_PARAM_set1_ip_asc(wanted, options_.host.c_str()) == 1) {
      return;
    }
    X509_VERIFY_PARAM_set1_host(wanted, options_.host.c_str(), 0);
    SSL_set_tlsext_host_name(ssl_.get(), options_.host.c_str());
  }

  bool End(Outcome outcome) {
    peer_.outcome = outcome;
    return false;
  }

  // Returns whether the socket is ready for `events` before the deadline.
  bool Wait(short events) {
    for (;;) {
      pollfd waits[] = {{fd_, events, 0}, {options_.stop_fd, POLLIN, 0}};
      const absl::Duration left = deadline_ - RealClock().Now();
      const int64_t milliseconds =
          std::max<int64_t>(0, absl::ToInt64Milliseconds(left));
      const int ready = poll(waits, 2, static_cast<int>(milliseconds));
      if (ready < 0 && errno == EINTR) continue;
      if (ready > 0 && waits[1].revents != 0) return End(Outcome::kStopped);
      return ready > 0 ? true : End(Outcome::kSilent);
    }
  }

  // Runs the handshake; true: done.
  bool Shake() {
    bool answered = false;
    for (;;) {
      const int done = SSL_connect(ssl_.get());
      if (done == 1) return true;
      const int error = SSL_get_error(ssl_.get(), done);
      if (error == SSL_ERROR_WANT_WRITE) {
        if (!Wait(POLLOUT)) return false;
      } else if (error == SSL_ERROR_WANT_READ) {
        if (!Wait(POLLIN)) return answered ? false : AskInTheClear();
        if (!answered && (!SpeaksTls() || !ReadSocket())) return false;
        answered = true;
      } else {
        return Explain();
      }
    }
  }

  // Looks at the first bytes of an answer, and leaves them in the socket.
  bool SpeaksTls() {
    char bytes[kShownBytes];
    const ssize_t got = recv(fd_, bytes, sizeof bytes, MSG_PEEK);
    if (got <= 0) return End(Outcome::kClosed);
    // Content types of a record, and its version (RFC 8446 section 5.1).
    if (bytes[0] >= 20 && bytes[0] <= 24 && (got < 2 || bytes[1] == 3)) {
      return true;
    }
    absl::string_view text(bytes, static_cast<size_t>(got));
    text = text.substr(0, text.find_first_of("\r\n"));
    peer_.answer = Printable(text, 4 * kShownBytes);
    return End(Outcome::kNotTls);
  }

  // Sends a line end and reads the answer. A line-based server answers only
  // after the end of a line.
  bool AskInTheClear() {
    if (peer_.outcome != Outcome::kSilent) return false;
    constexpr char kEnd[] = {'\r', '\n', '\r', '\n'};
    if (send(fd_, kEnd, sizeof kEnd, MSG_NOSIGNAL) != sizeof kEnd) {
      return false;
    }
    deadline_ =
        RealClock().Now() + std::min(options_.patience, absl::Seconds(1));
    if (Wait(POLLIN) && SpeaksTls()) End(Outcome::kSilent);
    // A peer that closes without an answer was silent too.
    if (peer_.outcome == Outcome::kClosed) End(Outcome::kSilent);
    return false;
  }

  // Explains a failed handshake; a fault of the peer's certificate is known
  // already.
  bool Explain() {
    const unsigned long error = ERR_get_error();
    if (!peer_.detail.empty()) return false;
    if (error == 0) return End(Outcome::kClosed);
    const char* reason = ERR_reason_error_string(error);
    peer_.detail = reason == nullptr ? "" : reason;
    switch (ERR_GET_REASON(error)) {
      case SSL_R_WRONG_VERSION_NUMBER:
        return End(Outcome::kNotTls);
      case SSL_R_UNSUPPORTED_PROTOCOL:
      case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
      case SSL_R_WRONG_SSL_VERSION:
        return End(Outcome::kOldTls);
      case SSL_R_UNEXPECTED_EOF_WHILE_READING:
        return End(Outcome::kClosed);
      default:
        return End(Outcome::kTurnedAway);
    }
  }

  // Waits for the server's first bytes. With TLS 1.3 the client's handshake
  // ends before the server has checked its certificate, so these bytes show
  // whether the server accepts it.
  TlsPeer Listen() {
    deadline_ = RealClock().Now() + options_.patience;
    peer_.outcome = Outcome::kRight;
    char byte;
    for (;;) {
      const int got = SSL_read(ssl_.get(), &byte, 1);
      if (got == 1) return peer_;
      const int error = SSL_get_error(ssl_.get(), got);
      if (error == SSL_ERROR_WANT_READ) {
        if (Wait(POLLIN)) continue;
        // A server that waits for the client has no fault.
        if (peer_.outcome == Outcome::kSilent) peer_.outcome = Outcome::kRight;
        return peer_;
      }
      Explain();
      return peer_;
    }
  }

  const int fd_;
  const TlsProbeOptions& options_;
  const UniqueContext context_;
  const UniqueSsl ssl_;
  absl::Time deadline_;
  TlsPeer peer_;
};

}  // namespace

TlsPeer ProbeTls(int fd, const TlsProbeOptions& options) {
  return Probe(fd, options).Run();
}

}  // namespace hilum
