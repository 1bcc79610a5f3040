// SPDX-License-Identifier: Apache-2.0
// What hilum-site does, one function a command.
#ifndef HILUM_SITE_AGENT_GATEWAY_COMMANDS_H_
#define HILUM_SITE_AGENT_GATEWAY_COMMANDS_H_

#include <string>

#include "absl/status/status.h"

namespace hilum {

// Until SIGTERM or SIGINT, or the study's end where exit_when_done.
absl::Status ServeSite(const std::string& config_path, bool exit_when_done);

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
