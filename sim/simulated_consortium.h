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

// A consortium's authority for one simulation: with it the sites of one process
// sign and check in secure aggregation as they would anywhere. Thread-safe, but
// for two calls of Join for one site.
class SimulatedConsortium {
 public:
  // In memory only.
  static absl::StatusOr<std::unique_ptr<SimulatedConsortium>> Create();
  // Keeps its keys and certificates in `folder`, and takes those that are
  // there: a run that goes on needs the names and keys that its sums began
  // with. Errors are those of the files.
  static absl::StatusOr<std::unique_ptr<SimulatedConsortium>> Open(
      const std::string& folder);

  const std::string& authority_pem() const {
    return authority_.certificate_pem;
  }
  const std::string& name() const { return name_; }

  // One site's certificate and key; keeps what `credentials` points to. This
  // object outlives it.
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
  const PeerVerifier verifier_;  // one for all: certificates are checked once
};

}  // namespace hilum

#endif  // HILUM_SIM_SIMULATED_CONSORTIUM_H_
