// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_SITE_CONFIG_H_
#define HILUM_SITE_AGENT_GATEWAY_SITE_CONFIG_H_

#include <string>

#include "absl/status/statusor.h"
#include "common/crypto/secure_rng.h"
#include "hilum/v1/config.pb.h"

namespace hilum {

// A site's configuration, paths made absolute from the file's folder, and
// what is not given filled in. INVALID_ARGUMENT: file, line, column.
absl::StatusOr<v1::SiteConfig> LoadSiteConfig(const std::string& path);

// Returns the key (32 raw bytes) that deals patients into folds. Draws and
// stores it, 0600, where the file is absent. It never leaves the site. Errors
// are those of ReadKeyFile (common/base/key_file.h).
absl::StatusOr<std::string> LoadPatientKey(const std::string& path,
                                           SecureRng& rng);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_SITE_CONFIG_H_
