// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_CRYPTO_TLS_TLS_PROBE_H_
#define HILUM_COMMON_CRYPTO_TLS_TLS_PROBE_H_

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "common/crypto/certificate.h"

namespace hilum {

// The peer of a connection, as far as a TLS handshake shows it.
struct TlsPeer {
  enum class Outcome {
    kRight,           // TLS 1.3, with the authority's certificate for this host
    kNotTls,          // answers without TLS
    kOldTls,          // has no TLS 1.3
    kOtherAuthority,  // shows a certificate that another authority signed
    kOtherName,       // shows a certificate of the authority for other hosts
    kExpired,
    kNotYetValid,
    kTurnedAway,  // rejects the certificate of this side
    kClosed,      // ended the connection
    kSilent,      // said nothing in time
    kStopped,     // stop_fd became readable
  };
  Outcome outcome = Outcome::kSilent;
  std::string answer;   // kNotTls: its first line, printable
  std::string version;  // "TLSv1.2", as far as the handshake came
  std::optional<CertificateInfo> certificate;  // the certificate it showed
  std::string detail;                          // OpenSSL's reason; may be empty
};

struct TlsProbeOptions {
  const Identity* identity = nullptr;  // this side
  std::string host;                    // name or address of the other side
  absl::Duration patience = absl::Seconds(5);
  int stop_fd = -1;  // readable: give up at once; -1: none
};

// Begins a TLS handshake as a client over `fd`, a connected non-blocking
// socket, which cannot be used afterwards. Shows the own certificate only to a
// peer whose certificate is right. Takes up to twice the patience. Call with
// SIGPIPE ignored.
TlsPeer ProbeTls(int fd, const TlsProbeOptions& options);

}  // namespace hilum

#endif  // HILUM_COMMON_CRYPTO_TLS_TLS_PROBE_H_
