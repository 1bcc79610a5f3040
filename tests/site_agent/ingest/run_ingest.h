// SPDX-License-Identifier: Apache-2.0
// hilum-ingest as a program, for tests of its command line.
#ifndef HILUM_TESTS_SITE_AGENT_INGEST_RUN_INGEST_H_
#define HILUM_TESTS_SITE_AGENT_INGEST_RUN_INGEST_H_

#include <sys/wait.h>

#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"

namespace hilum {

struct Ran {
  int exit_code = -1;
  std::string out;
};

// Runs the program with these arguments of a shell's command line; `errors`:
// `out` has what it says on standard error too.
inline Ran RunIngest(const std::string& arguments, bool errors = false) {
  const std::string command =
      absl::StrCat(HILUM_BIN_DIR, "/hilum-ingest ", arguments,
                   errors ? " 2>&1" : " 2>/dev/null", " </dev/null");
  Ran ran;
  FILE* pipe = popen(command.c_str(), "r");
  char buffer[4096];
  while (size_t got = fread(buffer, 1, sizeof buffer, pipe)) {
    ran.out.append(buffer, got);
  }
  const int status = pclose(pipe);
  if (WIFEXITED(status)) ran.exit_code = WEXITSTATUS(status);
  return ran;
}

}  // namespace hilum

#endif  // HILUM_TESTS_SITE_AGENT_INGEST_RUN_INGEST_H_
