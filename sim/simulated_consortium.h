// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SIM_SIMULATED_CONSORTIUM_H_
#define HILUM_SIM_SIMULATED_CONSORTIUM_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "certs/authority.h"
#include "common/base/ids.h"
#include "common/crypto/signature.h"
#include "common/secagg/credentials.h"

namespace hilum {

// A consortium's authority for one simulation. With it the sites in one process
// sign and verify in secure aggregation as real sites do. Thread-safe, except
// for two calls of Join for one site.
class SimulatedConsortium {
 public:
  // Makes a consortium in memory only.
  static absl::StatusOr<std::unique_ptr<SimulatedConsortium>> Create();
  // Stores its keys and certificates in `folder`, and uses those that exist: a
  // continued run needs the names and keys of its sums. Errors are those of the
  // files.
  static absl::StatusOr<std::unique_ptr<SimulatedConsortium>> Open(
      const std::string& folder);

  const std::string& authority_pem() const {
    return authority_.certificate_pem;
  }
  const std::string& name() const { return name_; }

  // One site's certificate and key. Owns the signer in `credentials`; must not
  // outlive the consortium.
  struct Member {
    std::unique_ptr<Signer> signer;
    SiteCredentials credentials;
  };
  absl::StatusOr<Member> Join(const SiteId& site) const;

 private:
  SimulatedConsortium(Authority authority, std::string folder);

  const std::string name_;
  const Authority authority_;
  const std::string folder_;     // empty: none
  const PeerVerifier verifier_;  // checks each certificate once
};

}  // namespace hilum

#endif  // HILUM_SIM_SIMULATED_CONSORTIUM_H_
