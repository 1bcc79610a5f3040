// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_NETWORK_QUERY_H_
#define HILUM_SITE_AGENT_INGEST_NETWORK_QUERY_H_

#include <iosfwd>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "site_agent/ingest/network/tls_layer.h"
#include "site_agent/ingest/receiving_options.h"

namespace hilum {

struct QueryOptions {
  ReceivingOptions receiving;
  std::string peer;  // AET@HOST:PORT
  std::string ae_title = "HILUM";
  std::string from;  // YYYY-MM-DD, the first day
  std::string to;    // the last day
  std::vector<std::string> modalities = {"CR", "DX"};
  bool move = false;             // C-MOVE instead of C-GET
  std::string bind = "0.0.0.0";  // with `move`: where the peer sends to
  int port = 0;
  int pace = 0;  // images a minute at the most; 0: as fast as it goes
  TlsFiles tls;
};

// Fetches what a peer has of these days and modalities and the store has not
// had (by SOP Instance UID), day by day; again to go on. A line a day goes to
// `out`. Memory: 512 MB at the most. Call with one thread and before any socket
// is opened. INVALID_ARGUMENT: an option. ABORTED: images could not be fetched,
// with the first one's reason. Else as DicomPeer's and ReceivingIntake::Open's.
absl::Status Query(const QueryOptions& options, std::ostream& out);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_NETWORK_QUERY_H_
