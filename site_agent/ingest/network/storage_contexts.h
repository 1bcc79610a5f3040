// SPDX-License-Identifier: Apache-2.0
// Which objects are taken, and how they may be encoded (docs/conformance.md).
#ifndef HILUM_SITE_AGENT_INGEST_NETWORK_STORAGE_CONTEXTS_H_
#define HILUM_SITE_AGENT_INGEST_NETWORK_STORAGE_CONTEXTS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"

struct T_ASC_Association;
struct T_ASC_Parameters;

namespace hilum {

// SOP Class UIDs (PS3.4 annex B.5).
absl::Span<const char* const> StorageClasses();
// What site_agent/imaging decodes; the ones that every peer has come first.
absl::Span<const char* const> TransferSyntaxes();

// Accepts, as who provides them, verification and the storage classes in any
// of the transfer syntaxes. The rest is refused. INTERNAL.
absl::Status AcceptContexts(T_ASC_Parameters* parameters);

// Proposes `query_classes`, uncompressed; with `storage` also the storage
// classes, in the role of who provides them (PS3.7 D.3.3.4): one context for
// what is not compressed and one for each other transfer syntax, so that the
// peer sends what it has. INTERNAL.
absl::Status ProposeContexts(T_ASC_Parameters* parameters,
                             absl::Span<const char* const> query_classes,
                             bool storage);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_NETWORK_STORAGE_CONTEXTS_H_
