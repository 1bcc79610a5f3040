// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_SITE_CONFIG_H_
#define HILUM_SITE_AGENT_GATEWAY_SITE_CONFIG_H_

#include <string>

#include "absl/status/statusor.h"
#include "common/crypto/secure_rng.h"
#include "hilum/v1/config.pb.h"

namespace hilum {

// Returns a site's configuration with absolute paths, which are relative to the
// file's folder in the file, and with defaults filled in. INVALID_ARGUMENT:
// names file, line and column.
absl::StatusOr<v1::SiteConfig> LoadSiteConfig(const std::string& path);

// Returns the key (32 raw bytes) that deals patients into folds. Draws it and
// stores it with mode 0600 if the file is absent. It never leaves the site.
// Errors of ReadKeyFile (common/base/key_file.h).
absl::StatusOr<std::string> LoadPatientKey(const std::string& path,
                                           SecureRng& rng);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_SITE_CONFIG_H_
