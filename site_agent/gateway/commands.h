// SPDX-License-Identifier: Apache-2.0
// The commands of hilum-site, one function a command.
#ifndef HILUM_SITE_AGENT_GATEWAY_COMMANDS_H_
#define HILUM_SITE_AGENT_GATEWAY_COMMANDS_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "site_agent/gateway/transport.h"

namespace hilum {

// Makes a transport around `inner`: for tests that cut the site off at a
// certain call. `inner` outlives the new transport.
using WrapTransport =
    std::function<std::unique_ptr<Transport>(Transport& inner)>;

// Runs until SIGTERM or SIGINT or, with exit_when_done, until the study ends.
absl::Status ServeSite(const std::string& config_path, bool exit_when_done,
                       const WrapTransport& wrap = nullptr);

// Prints the offered studies that `reference` may mean (FindStudy in
// common/cli; empty: all), as StudyText or, with `json`, as StudyJson, one a
// line. Says which offers cannot be read, and shows the others.
absl::Status ShowStudy(const std::string& config_path,
                       const std::string& reference, bool json);

// The options of an approval, as the officer typed them.
struct Decision {
  // A study's name or the first digits of its hash. Empty: the only undecided
  // study, after a question on the terminal; without a terminal the study must
  // be named.
  std::string study;
  std::vector<std::string> accept;  // names of risks
  std::string weights;              // hexadecimal
};
// Approves a study. An approved study may be approved again to accept more.
// FAILED_PRECONDITION: the study needs something accepted that was not,
// conflicts with this site's policy, was refused or has ended; says what to do.
// INVALID_ARGUMENT: several studies match, which it lists; an unknown risk;
// other weights; no study named and no terminal. CANCELLED: the answer on the
// terminal was not yes.
absl::Status ApproveStudy(const std::string& config_path,
                          const Decision& decision);
absl::Status RefuseStudy(const std::string& config_path,
                         const std::string& reference);

// Prints one line a check: ok, or FAIL and what to do. FAILED_PRECONDITION: a
// check failed.
absl::Status Doctor(const std::string& config_path);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_COMMANDS_H_
