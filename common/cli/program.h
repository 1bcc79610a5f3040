// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_CLI_PROGRAM_H_
#define HILUM_COMMON_CLI_PROGRAM_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace CLI {
class App;
}

namespace hilum {

// The frame of every program: its command line, its exit status, the shape of
// its errors.
//   0: done, --help, --version;  1: the command failed;  2: wrong usage.
// Errors go to standard error as "NAME: message". Wrong usage is what the
// parser finds and what a command returns as UsageError (common/cli/usage.h).
// Life: construct, add subcommands to app(), each of which leaves in action()
// what it does once it was parsed, then Run once. Not thread-safe.
class Program {
 public:
  using Action = std::function<absl::Status()>;

  // `what`: one sentence. `examples`: whole command lines.
  Program(absl::string_view name, absl::string_view what,
          const std::vector<std::string>& examples);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Takes subcommands; one of them must be given. Each has an example as its
  // footer.
  CLI::App& app() { return *app_; }
  Action& action() { return action_; }

  // Parses and runs the action; returns the exit status. `before` runs between
  // the two, and the action only where it succeeds.
  int Run(int argc, char** argv, const Action& before = nullptr);

 private:
  int Fail(int exit_status, absl::string_view message) const;

  const std::string name_;
  const std::unique_ptr<CLI::App> app_;
  Action action_;
};

// Returns how a shell takes `words` as one command line: those with spaces or
// signs stand in single quotes.
std::string ShellLine(const std::vector<std::string>& words);

}  // namespace hilum

#endif  // HILUM_COMMON_CLI_PROGRAM_H_
