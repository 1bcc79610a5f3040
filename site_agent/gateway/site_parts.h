// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_SITE_PARTS_H_
#define HILUM_SITE_AGENT_GATEWAY_SITE_PARTS_H_

#include "common/base/clock.h"
#include "site_agent/gateway/approvals.h"
#include "site_agent/gateway/blob_cache.h"
#include "site_agent/gateway/blob_transfer.h"
#include "site_agent/gateway/call_outcome.h"
#include "site_agent/gateway/coordinator_calls.h"
#include "site_agent/gateway/egress_facts.h"
#include "site_agent/gateway/ledger.h"
#include "site_agent/gateway/refusals.h"
#include "site_agent/gateway/site_options.h"
#include "site_agent/gateway/site_session.h"
#include "site_agent/trainer/trainer.h"

namespace hilum {

// The objects that Offers, SiteStudies, SiteTasks and SumSteps of one running
// site share. SessionRunner owns them.
struct SiteParts {
  const SiteOptions& options;
  Trainer& trainer;
  Clock& clock;
  Ledger& ledger;
  const Approvals& approvals;
  const BlobCache& blobs;
  const BlobTransfer& transfer;
  EgressFacts& facts;
  CoordinatorCalls& calls;
  SiteSession& session;
  StepPatience& patience;
  Refusals& refusals;
  const SiteLog& log;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_SITE_PARTS_H_
