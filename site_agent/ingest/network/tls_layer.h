// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_NETWORK_TLS_LAYER_H_
#define HILUM_SITE_AGENT_INGEST_NETWORK_TLS_LAYER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

class DcmTransportLayer;

namespace hilum {

// PEM files; give all or none.
struct TlsFiles {
  std::string certificate;
  std::string key;
  std::string authority;  // certificate that signed the peers' certificates

  bool any() const {
    return !certificate.empty() || !key.empty() || !authority.empty();
  }
};

// Makes DICOM over TLS (PS3.15 B.10, non-downgrading BCP 195): TLS 1.2 or
// newer, both sides with a certificate. Returns null if `files` are empty.
// INVALID_ARGUMENT: some files are missing, one cannot be read, or key and
// certificate do not belong together; PERMISSION_DENIED: other users may read
// the key.
absl::StatusOr<std::unique_ptr<DcmTransportLayer>> MakeTlsLayer(
    const TlsFiles& files, bool server);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_NETWORK_TLS_LAYER_H_
