// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_RECEIVING_OPTIONS_H_
#define HILUM_SITE_AGENT_INGEST_RECEIVING_OPTIONS_H_

#include <string>

namespace hilum {

struct ReceivingOptions {
  std::string store;
  std::string key_file;  // empty: STORE/patient.key
  std::string labels;    // a CSV file; empty: those of earlier runs
  std::string words;     // see IntakeOptions
  std::string incoming;  // the folder; empty: STORE/incoming
  std::string actor;     // for the history
};

// Returns the folder for objects between the network and the store.
inline std::string IncomingFolder(const ReceivingOptions& options) {
  return options.incoming.empty() ? options.store + "/incoming"
                                  : options.incoming;
}

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_RECEIVING_OPTIONS_H_
