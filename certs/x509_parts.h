// SPDX-License-Identifier: Apache-2.0
// Pieces that making a request and signing one share. Only for sources that
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

// INTERNAL with OpenSSL's own reason.
absl::Status OpenSslError(absl::string_view what);

// A new P-256 key; null where the system gives no randomness.
UniqueKey MakeKey();
absl::StatusOr<std::string> KeyPem(EVP_PKEY* key);

// "URI:hilum://CONSORTIUM/site/NAME" and hosts, as OpenSSL's configuration
// writes subjectAltName. INVALID_ARGUMENT: a name or host that is none.
absl::StatusOr<std::string> AlternativeNames(absl::string_view consortium,
                                             const RequestedName& name);

// What stands in requests in the place of the consortium.
inline constexpr char kRequested[] = "requested";

}  // namespace hilum

#endif  // HILUM_CERTS_X509_PARTS_H_
