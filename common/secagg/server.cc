// SPDX-License-Identifier: Apache-2.0
#include "common/secagg/server.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace hilum {

SecAggServer::SecAggServer(SecAggContext context, const PeerVerifier& verifier)
    : context_(std::move(context)),
      verifier_(verifier),
      expected_(context_.cohort) {}

absl::Status SecAggServer::Expect(Step step, const SiteId& site) const {
  if (step_ == step && expected_.contains(site)) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "secure aggregation: ", site.name(), " is not waited for in this step"));
}

absl::Status SecAggServer::Close() {
  if (static_cast<int>(answered_.size()) < context_.Threshold()) {
    step_ = Step::kDone;
    lost_ = true;
    return absl::AbortedError(absl::StrCat(
        "secure aggregation: ", answered_.size(), " sites are left, of at ",
        "least ", context_.Threshold()));
  }
  switch (step_) {
    case Step::kAdvertiseKeys:
      MakeRoster();
      break;
    case Step::kShareKeys:
      sharers_ = answered_;
      break;
    case Step::kMaskedInput:
      survivors_ = answered_;
      break;
    case Step::kConfirm:
      for (const auto& [site, signature] : signatures_) {
        v1::Confirmations::Entry& entry = *confirmations_.add_entries();
        entry.set_site(site.name());
        entry.set_signature(signature);
      }
      break;
    default:
      break;
  }
  expected_ = std::exchange(answered_, {});
  if (step_ != Step::kDone)
    step_ = static_cast<Step>(static_cast<int>(step_) + 1);
  return absl::OkStatus();
}

}  // namespace hilum
