// SPDX-License-Identifier: Apache-2.0
// What hilum-site does, one function a command.
#ifndef HILUM_SITE_AGENT_GATEWAY_COMMANDS_H_
#define HILUM_SITE_AGENT_GATEWAY_COMMANDS_H_

#include <functional>
#include <memory>
#include <string>

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

// `hash`: hexadecimal, or its first digits; empty: the only one offered.
absl::Status ShowStudy(const std::string& config_path, const std::string& hash);
absl::Status ApproveStudy(const std::string& config_path,
                          const std::string& hash);
absl::Status RefuseStudy(const std::string& config_path,
                         const std::string& hash);

// One line a check, ok or FAIL and what to do. FAILED_PRECONDITION: a check
// failed.
absl::Status Doctor(const std::string& config_path);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_COMMANDS_H_
