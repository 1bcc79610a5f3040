// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_SANDBOX_DESCRIBE_H_
#define HILUM_SITE_AGENT_SANDBOX_DESCRIBE_H_

#include <string>
#include <vector>

namespace hilum {

// One thing that confinement rests on, as it is on this machine for this user.
struct Hold {
  bool holds;
  std::string text;  // in plain words, with what is lost where it does not
};

// Hidden memory, filtered system calls, files, descriptors, namespaces: in this
// order. Each is tried in a process of its own; this one stays as it is.
std::vector<Hold> DescribeConfinement();

// What to tell the log where files are not confined; empty where they are. Ask
// before AllowSystemCalls, which forbids the question.
std::string MissingLandlock();

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_SANDBOX_DESCRIBE_H_
