// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_NETWORK_QUERY_PLAN_H_
#define HILUM_SITE_AGENT_INGEST_NETWORK_QUERY_PLAN_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "site_agent/ingest/network/dicom_peer.h"

namespace hilum {

// A selection of images at a PACS, by days or by names.
struct QuerySelection {
  std::string from;                     // YYYY-MM-DD, the first day
  std::string to;                       // the last day
  std::vector<std::string> accessions;  // Accession Numbers
  std::string list;                     // path of a CSV file
  std::vector<std::string> modalities = {"CR", "DX"};

  bool by_name() const { return !accessions.empty() || !list.empty(); }
};

// One question to the PACS.
struct QueryPart {
  std::string name;  // for the log: a day, or "LIST:ROW"; names no patient
  ImageQuery query;
};

struct QueryPlan {
  std::vector<QueryPart> parts;    // all different
  std::vector<std::string> notes;  // numbers of rows without a question
};

// Splits a selection into questions: one for each day, or one for each
// accession number and each row of the list. The list's header names one or
// more of PatientID, AccessionNumber and StudyInstanceUID, as in a labels file;
// other columns are ignored, so that a labels file can be the list.
// INVALID_ARGUMENT: nothing or both ways are selected, invalid days, no such
// header, or a value that a PACS would take for a pattern (*, ?, \). NOT_FOUND,
// PERMISSION_DENIED: the list. No message has a value from the list.
absl::StatusOr<QueryPlan> PlanQuery(const QuerySelection& selection);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_NETWORK_QUERY_PLAN_H_
