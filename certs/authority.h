// SPDX-License-Identifier: Apache-2.0
// A consortium's certificate authority: ECDSA P-256, X.509 v3 (RFC 5280),
// requests as PKCS #10 (RFC 2986). Texts in and out are PEM.
#ifndef HILUM_CERTS_AUTHORITY_H_
#define HILUM_CERTS_AUTHORITY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace hilum {

// The private key is secret: write it only to a file of mode 0600.
struct Authority {
  std::string private_key_pem;
  std::string certificate_pem;
};

// Makes a new authority for a consortium, valid for ten years from now.
// INVALID_ARGUMENT: an invalid name.
absl::StatusOr<Authority> MakeAuthority(absl::string_view consortium,
                                        absl::Time now);

struct Request {
  std::string private_key_pem;  // secret, as above
  std::string request_pem;      // goes to the authority
};

// The name in a request. The authority adds the consortium's name.
struct RequestedName {
  std::string site;                // empty: the coordinator
  std::vector<std::string> hosts;  // for the coordinator: DNS names, addresses
};

// Makes a new key and the request for it. INVALID_ARGUMENT: a bad name; a
// coordinator without hosts, a site with hosts.
absl::StatusOr<Request> MakeRequest(const RequestedName& name);

struct ReceivedRequest {
  RequestedName name;
  std::string key_digest;  // 32 raw bytes: KeyDigest of its certificate
  bool signed_by_its_key;  // false: damaged or changed in transit
};

// Reads a request from outside. INVALID_ARGUMENT: no request, over 16 KiB or 32
// hosts, not P-256, names other than a RequestedName, a subject with another
// name, or anything that does not belong into a consortium's certificate.
absl::StatusOr<ReceivedRequest> ParseRequest(absl::string_view request_pem);

// Returns the name in a request that its own key has signed. INVALID_ARGUMENT:
// the errors of ParseRequest, and a broken signature.
absl::StatusOr<RequestedName> ReadRequest(absl::string_view request_pem);

// Signs a certificate for a request: clientAuth for a site, serverAuth for the
// coordinator, no other right, valid from five minutes before `now` (clocks
// differ) for 1 <= days <= 3650. INVALID_ARGUMENT: see ReadRequest;
// FAILED_PRECONDITION: the authority's key and certificate do not belong
// together.
absl::StatusOr<std::string> SignRequest(const Authority& authority,
                                        absl::string_view request_pem, int days,
                                        absl::Time now);

}  // namespace hilum

#endif  // HILUM_CERTS_AUTHORITY_H_
