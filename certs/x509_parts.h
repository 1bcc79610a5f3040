// SPDX-License-Identifier: Apache-2.0
// Functions shared by making a request and signing one. Only for sources that
// include OpenSSL.
#ifndef HILUM_CERTS_X509_PARTS_H_
#define HILUM_CERTS_X509_PARTS_H_

#include <openssl/x509.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "certs/authority.h"
#include "common/crypto/openssl_types.h"

namespace hilum {

// Returns INTERNAL with OpenSSL's own reason.
absl::Status OpenSslError(absl::string_view what);

// Makes a P-256 key; null where the system gives no randomness.
UniqueKey MakeKey();
absl::StatusOr<std::string> KeyPem(EVP_PKEY* key);

// Returns "URI:hilum://CONSORTIUM/site/NAME" and hosts in the form of
// subjectAltName in OpenSSL's configuration. INVALID_ARGUMENT: an invalid name
// or host.
absl::StatusOr<std::string> AlternativeNames(absl::string_view consortium,
                                             const RequestedName& name);

// Stands for the consortium's name in requests.
inline constexpr char kRequested[] = "requested";

}  // namespace hilum

#endif  // HILUM_CERTS_X509_PARTS_H_
