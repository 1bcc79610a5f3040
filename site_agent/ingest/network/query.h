// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_NETWORK_QUERY_H_
#define HILUM_SITE_AGENT_INGEST_NETWORK_QUERY_H_

#include <iosfwd>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "site_agent/ingest/network/query_plan.h"
#include "site_agent/ingest/network/tls_layer.h"
#include "site_agent/ingest/receiving_options.h"

namespace hilum {

// The treatment of studies without a Study Date, which no day matches.
enum class Undated { kCount, kFetch, kIgnore };

struct QueryOptions {
  ReceivingOptions receiving;
  std::string peer;  // AET@HOST:PORT
  std::string ae_title = "HILUM";
  QuerySelection selection;
  Undated undated = Undated::kCount;
  bool move = false;               // C-MOVE instead of C-GET
  std::string bind = "127.0.0.1";  // with `move`: the peer sends here
  int port = 0;
  std::vector<std::string> allow;  // with `move`: further senders
  int pace = 0;                    // images a minute at most; 0: no limit
  TlsFiles tls;
};

// Fetches the peer's images of the selection that the store has not had (by SOP
// Instance UID), question by question; a new run continues. Prints a line for
// each question that found something to `out`. Memory: at most 512 MB. Call
// with one thread and before any socket is opened. INVALID_ARGUMENT: an option.
// ABORTED: images could not be fetched, with the first one's reason. Otherwise
// errors as DicomPeer, PlanQuery and ReceivingIntake::Open.
absl::Status Query(const QueryOptions& options, std::ostream& out);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_NETWORK_QUERY_H_
