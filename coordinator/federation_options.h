// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_FEDERATION_OPTIONS_H_
#define HILUM_COORDINATOR_FEDERATION_OPTIONS_H_

#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace hilum {

// The settings that a coordinator is given at its start.
struct FederationOptions {
  std::string state_dir;
  // Signs receipts (DER); if not set, receipts have empty signatures.
  std::function<std::string(absl::string_view)> sign;
  // The authority by which sites verify each other in secure aggregation.
  // Empty: studies with secure aggregation are refused.
  std::string authority_pem;
  std::string consortium;
  // The operator's log, one line a call.
  std::function<void(absl::string_view)> log = [](absl::string_view) {};
  // Refuses a site whose checksum does not fit its vector. Sites detect a
  // false sum either way; without this check all of them then refuse the
  // study.
  bool check_checksums = true;
  // Time between attempts after the disk was full.
  absl::Duration retry_after = absl::Seconds(10);
};

}  // namespace hilum

#endif  // HILUM_COORDINATOR_FEDERATION_OPTIONS_H_
