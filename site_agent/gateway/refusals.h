// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_REFUSALS_H_
#define HILUM_SITE_AGENT_GATEWAY_REFUSALS_H_

#include <string>

#include "absl/status/status.h"
#include "hilum/v1/federation.pb.h"
#include "site_agent/gateway/approvals.h"
#include "site_agent/gateway/ledger.h"
#include "site_agent/gateway/site_options.h"

namespace hilum {

// Writes what a site refuses into its ledger and its log, and refuses a study
// for good if the coordinator cheats in it. Not thread-safe.
class Refusals {
 public:
  // All references outlive this object.
  Refusals(Ledger& ledger, const Approvals& approvals, const SiteLog& log)
      : ledger_(ledger), approvals_(approvals), log_(log) {}

  // Records that `task` was refused (SUM_REFUSED). Refuses the study if `why`
  // is PERMISSION_DENIED: the coordinator is not to be trusted with it any
  // more.
  absl::Status Record(const v1::Task& task, const absl::Status& why);
  // Like Record, with PERMISSION_DENIED for the model that the task names.
  // Always fails.
  absl::Status RefuseModel(const v1::Task& task, absl::string_view why);
  // Records that policy or consent forbids work on a study
  // (FAILED_PRECONDITION, PERMISSION_DENIED; any other status is not recorded).
  // Returns `may`.
  absl::Status NoteIfNotTaken(const std::string& hash, const absl::Status& may);

 private:
  Ledger& ledger_;
  const Approvals& approvals_;
  const SiteLog& log_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_REFUSALS_H_
