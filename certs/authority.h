// SPDX-License-Identifier: Apache-2.0
// The consortium's certificate authority: ECDSA P-256, X.509 v3 (RFC 5280),
// requests as PKCS #10 (RFC 2986). Texts in and out are PEM.
#ifndef HILUM_CERTS_AUTHORITY_H_
#define HILUM_CERTS_AUTHORITY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace hilum {

// The private key is secret: it goes into a file of mode 0600 and nowhere
// else.
struct Authority {
  std::string private_key_pem;
  std::string certificate_pem;
};

// A new authority for a consortium, valid for ten years from now.
// INVALID_ARGUMENT: no valid name.
absl::StatusOr<Authority> MakeAuthority(absl::string_view consortium,
                                        absl::Time now);

struct Request {
  std::string private_key_pem;  // secret, as above
  std::string request_pem;      // goes to the authority
};

// What a request asks for. The authority adds the consortium's name.
struct RequestedName {
  std::string site;                // empty: the coordinator
  std::vector<std::string> hosts;  // of the coordinator: DNS names, addresses
};

// A new key and the request for it. INVALID_ARGUMENT: a bad name; a
// coordinator without hosts, a site with.
absl::StatusOr<Request> MakeRequest(const RequestedName& name);

struct ReceivedRequest {
  RequestedName name;
  std::string key_digest;  // 32 raw bytes: KeyDigest of its certificate
  bool signed_by_its_key;  // false: damaged or changed on its way
};

// Reads a request from outside. INVALID_ARGUMENT: no request, over 16 KiB or 32
// hosts, not of P-256, names other than a RequestedName, a subject other than
// that name, or anything that a certificate of a consortium has no place for.
absl::StatusOr<ReceivedRequest> ParseRequest(absl::string_view request_pem);

// The name in a request whose sender has its key. INVALID_ARGUMENT: as
// ParseRequest, and a broken signature.
absl::StatusOr<RequestedName> ReadRequest(absl::string_view request_pem);

// A certificate for what the request asks: clientAuth for a site, serverAuth
// for the coordinator, no other right, valid from five minutes before `now`
// (clocks differ) for 1 <= days <= 3650. INVALID_ARGUMENT: as ReadRequest;
// FAILED_PRECONDITION: the authority's key and certificate do not belong
// together.
absl::StatusOr<std::string> SignRequest(const Authority& authority,
                                        absl::string_view request_pem, int days,
                                        absl::Time now);

}  // namespace hilum

#endif  // HILUM_CERTS_AUTHORITY_H_
