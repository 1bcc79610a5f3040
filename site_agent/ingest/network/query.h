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

// What to do with studies that have no Study Date, which no day matches.
enum class Undated { kCount, kFetch, kIgnore };

struct QueryOptions {
  ReceivingOptions receiving;
  std::string peer;  // AET@HOST:PORT
  std::string ae_title = "HILUM";
  QuerySelection selection;
  Undated undated = Undated::kCount;
  bool move = false;               // C-MOVE instead of C-GET
  std::string bind = "127.0.0.1";  // with `move`: where the peer sends to
  int port = 0;
  std::vector<std::string> allow;  // with `move`: who may send, beside `peer`
  int pace = 0;  // images a minute at the most; 0: as fast as it goes
  TlsFiles tls;
};

// Fetches what a peer has of the selection and the store has not had (by SOP
// Instance UID), question by question; again to go on. A line for each question
// that found something goes to `out`. Memory: 512 MB at the most. Call with one
// thread and before any socket is opened. INVALID_ARGUMENT: an option.
// ABORTED: images could not be fetched, with the first one's reason. Else as
// DicomPeer's, PlanQuery's and ReceivingIntake::Open's.
absl::Status Query(const QueryOptions& options, std::ostream& out);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_NETWORK_QUERY_H_
