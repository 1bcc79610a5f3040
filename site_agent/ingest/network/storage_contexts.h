// SPDX-License-Identifier: Apache-2.0
// The accepted objects and their encodings (docs/conformance.md).
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
// Returns the syntaxes that site_agent/imaging decodes; those that every peer
// has come first.
absl::Span<const char* const> TransferSyntaxes();

// Accepts, as provider, verification and the storage classes in any of the
// transfer syntaxes; refuses the rest. INTERNAL.
absl::Status AcceptContexts(T_ASC_Parameters* parameters);

// Proposes `query_classes`, uncompressed; with `storage` also the storage
// classes in the provider's role (PS3.7 D.3.3.4): one context for the
// uncompressed syntaxes and one for each other transfer syntax, so that the
// peer can send its stored encoding. INTERNAL.
absl::Status ProposeContexts(T_ASC_Parameters* parameters,
                             absl::Span<const char* const> query_classes,
                             bool storage);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_NETWORK_STORAGE_CONTEXTS_H_
