// SPDX-License-Identifier: Apache-2.0
// What hilum-site does, one function a command.
#ifndef HILUM_SITE_AGENT_GATEWAY_COMMANDS_H_
#define HILUM_SITE_AGENT_GATEWAY_COMMANDS_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "site_agent/gateway/transport.h"

namespace hilum {

// Stands between the gateway and the network: for tests of a site that is cut
// off at a certain call. `inner` outlives what is made.
using WrapTransport =
    std::function<std::unique_ptr<Transport>(Transport& inner)>;

// Until SIGTERM or SIGINT, or the study's end where exit_when_done.
absl::Status ServeSite(const std::string& config_path, bool exit_when_done,
                       const WrapTransport& wrap = nullptr);

// Writes the offered studies that `reference` may mean (common/cli's FindStudy;
// empty: all) as StudyText has them, or as StudyJson one a line. An offer that
// cannot be read is said to be so, and the others are shown.
absl::Status ShowStudy(const std::string& config_path,
                       const std::string& reference, bool json);

// What the officer types.
struct Decision {
  // A study's name or the first digits of its hash; empty: the only undecided
  // study, which a terminal is asked about; without one it must be named.
  std::string study;
  std::vector<std::string> accept;  // names of risks
  std::string weights;              // hexadecimal
};
// FAILED_PRECONDITION: the study needs a yes that was not given, stands against
// this site's policy, was refused or has ended; says what to do. Once approved,
// a study may be approved again with more accepted. INVALID_ARGUMENT: several
// studies fit, which it lists; no such risk; other weights; no hash and no
// terminal. CANCELLED: the terminal did not say yes.
absl::Status ApproveStudy(const std::string& config_path,
                          const Decision& decision);
absl::Status RefuseStudy(const std::string& config_path,
                         const std::string& reference);

// One line a check, ok or FAIL and what to do. FAILED_PRECONDITION: a check
// failed.
absl::Status Doctor(const std::string& config_path);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_COMMANDS_H_
