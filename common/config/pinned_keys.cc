// SPDX-License-Identifier: Apache-2.0
#include "common/config/pinned_keys.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/crypto/certificate.h"
#include "common/crypto/sha256.h"

namespace hilum {

std::optional<std::string> PinnedKey(const v1::Study& study,
                                     const SiteId& site) {
  const auto& sites = study.sites();
  const auto found = std::find(sites.begin(), sites.end(), site.name());
  const int at = static_cast<int>(found - sites.begin());
  if (found == sites.end() || at >= study.site_keys_size()) return std::nullopt;
  return study.site_keys(at);
}

absl::Status CheckPinnedKey(const v1::Study& study, const SiteId& site,
                            const std::string& certificate_pem) {
  if (study.site_keys().empty()) return absl::OkStatus();
  const std::optional<std::string> pinned = PinnedKey(study, site);
  if (!pinned.has_value()) {
    return absl::NotFoundError(absl::StrCat("the study pins keys, and '",
                                            site.name(),
                                            "' is not one of its sites"));
  }
  const std::string key = KeyDigest(certificate_pem);
  if (key == *pinned) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat(
      "site ", site.name(), " shows ",
      key.empty() ? "no certificate" : absl::StrCat("the key ", ToHex(key)),
      "; the study that was approved pins its key ", ToHex(*pinned)));
}

}  // namespace hilum
