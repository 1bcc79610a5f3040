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

// The frame of every program: its command line, its exit status and its error
// format. Exit status: 0: done, --help, --version; 1: the command failed; 2:
// wrong usage. Errors go to standard error as "NAME: message". Wrong usage is
// an error of the parser or a UsageError that a command returns
// (common/cli/usage.h).
// Life: construct; add subcommands to app(), each of which stores its work in
// action() once it is parsed; call Run once. Not thread-safe.
class Program {
 public:
  using Action = std::function<absl::Status()>;

  // `what`: one sentence about the program. `examples`: whole command lines.
  Program(absl::string_view name, absl::string_view what,
          const std::vector<std::string>& examples);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Takes subcommands, one of which must be given. Each has an example in its
  // footer.
  CLI::App& app() { return *app_; }
  Action& action() { return action_; }

  // Parses, runs `before` and then the action, which runs only where `before`
  // succeeds; returns the exit status.
  int Run(int argc, char** argv, const Action& before = nullptr);

 private:
  int Fail(int exit_status, absl::string_view message) const;

  const std::string name_;
  const std::unique_ptr<CLI::App> app_;
  Action action_;
};

// Returns `words` as one command line for a shell: words with spaces or special
// characters are in single quotes.
std::string ShellLine(const std::vector<std::string>& words);

}  // namespace hilum

#endif  // HILUM_COMMON_CLI_PROGRAM_H_
