// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_SANDBOX_DESCRIBE_H_
#define HILUM_SITE_AGENT_SANDBOX_DESCRIBE_H_

#include <string>
#include <vector>

namespace hilum {

// One part of the confinement, and whether it works on this machine for this
// user.
struct Hold {
  bool holds;
  std::string text;  // in plain words; says what is lost where it does not hold
};

// Tests, in this order: hidden memory, filtered system calls, files,
// descriptors, namespaces. Each test runs in a process of its own, so that this
// process stays as it is.
std::vector<Hold> DescribeConfinement();

// Returns the warning for the log where files are not confined; empty where
// they are. Call before AllowSystemCalls, which forbids asking the kernel.
std::string MissingLandlock();

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_SANDBOX_DESCRIBE_H_
