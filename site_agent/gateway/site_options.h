// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_SITE_OPTIONS_H_
#define HILUM_SITE_AGENT_GATEWAY_SITE_OPTIONS_H_

#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/ids.h"
#include "common/crypto/secure_rng.h"
#include "common/secagg/credentials.h"
#include "hilum/v1/config.pb.h"

namespace hilum {

// The settings that a running site is given at its start.
struct SiteOptions {
  SiteId site;
  v1::SiteConfig config;    // absolute paths
  std::string patient_key;  // 32 raw bytes
  // For secure aggregation; the credentials outlive the site's session. Null:
  // this site takes part in no study with secure aggregation.
  const SiteCredentials* credentials = nullptr;
  SecureRng* rng = &RealSecureRng();
  bool exit_when_done = false;
  // How long a call of the trainer lasts before this site asks for new offers
  // beside it. Unused with exit_when_done.
  absl::Duration offer_patience = absl::Seconds(10);
  std::function<void(absl::string_view)> log = [](absl::string_view) {};

  // Returns this site's own certificate (PEM); empty: it has none.
  std::string certificate_pem() const {
    return credentials == nullptr ? std::string()
                                  : credentials->certificate_pem;
  }
};

// The only way into a site's log. Lines may have words of the trainer and of
// the coordinator in them, and are made printable here. Thread-safe if
// SiteOptions::log is.
class SiteLog {
 public:
  // `options` outlives this object.
  explicit SiteLog(const SiteOptions& options) : options_(options) {}
  void operator()(absl::string_view line) const;

 private:
  const SiteOptions& options_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_SITE_OPTIONS_H_
