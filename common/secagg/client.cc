// SPDX-License-Identifier: Apache-2.0
#include "common/secagg/client.h"

#include <utility>

#include "common/base/check.h"

namespace hilum {

SecAggClient::SecAggClient(SecAggContext context, SiteId self,
                           const SiteCredentials& credentials, SecureRng& rng)
    : context_(std::move(context)),
      self_(std::move(self)),
      credentials_(credentials),
      rng_(rng) {
  HILUM_CHECK(context_.cohort.contains(self_));
}

absl::Status SecAggClient::Begin(Step step) {
  if (step_ != step) {
    step_ = Step::kDone;
    return absl::FailedPreconditionError(
        "secure aggregation: a step out of order; this site leaves the sum");
  }
  step_ = Step::kDone;
  return absl::OkStatus();
}

}  // namespace hilum
