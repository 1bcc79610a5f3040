// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_SUPPORT_RUN_COMMAND_H_
#define HILUM_TESTS_SUPPORT_RUN_COMMAND_H_

#include <cstdio>
#include <string>
#include <utility>

namespace hilum {

// Runs a shell command; returns its output and its exit status.
inline std::pair<std::string, int> RunCommand(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  std::string text;
  char buffer[4096];
  while (size_t got = fread(buffer, 1, sizeof buffer, pipe)) {
    text.append(buffer, got);
  }
  return {text, pclose(pipe)};
}

}  // namespace hilum

#endif  // HILUM_TESTS_SUPPORT_RUN_COMMAND_H_
