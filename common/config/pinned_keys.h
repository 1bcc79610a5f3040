// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_CONFIG_PINNED_KEYS_H_
#define HILUM_COMMON_CONFIG_PINNED_KEYS_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "common/base/ids.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// Returns the digest of the site's public key (KeyDigest, 32 raw bytes) that a
// validated study pins. Nothing: the study pins no keys, or the site is not in
// its cohort.
std::optional<std::string> PinnedKey(const v1::Study& study,
                                     const SiteId& site);

// Checks that the certificate has the key that the study pins for the site; the
// officers approved that key with the study. OK also where the study pins no
// keys. PERMISSION_DENIED names the site and both keys: another key than the
// pinned one, or no certificate. NOT_FOUND: keys are pinned, and the site is
// not in the study.
absl::Status CheckPinnedKey(const v1::Study& study, const SiteId& site,
                            const std::string& certificate_pem);

}  // namespace hilum

#endif  // HILUM_COMMON_CONFIG_PINNED_KEYS_H_
