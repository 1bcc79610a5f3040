// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/app.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "site_agent/sandbox/dumpable.h"

namespace hilum {
namespace {

struct Ran {
  int exit_code = -1;
  std::string out;      // with what it says on standard error
  bool hidden = false;  // its memory, and files that it makes
};

// Runs hilum-site with these arguments in a child.
Ran RunWith(std::vector<std::string> arguments) {
  int ends[2];
  if (pipe(ends) != 0) return {};
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    std::vector<char*> argv;
    arguments.insert(arguments.begin(), "hilum-site");
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    const int code = RunSite(static_cast<int>(argv.size()) - 1, argv.data());
    std::cout << std::flush;
    const bool hidden = MemoryIsHidden() && umask(0) == 0077;
    _exit(code | (hidden ? 64 : 0));
  }
  close(ends[1]);
  Ran ran;
  char buffer[4096];
  for (ssize_t got; (got = read(ends[0], buffer, sizeof buffer)) > 0;) {
    ran.out.append(buffer, static_cast<size_t>(got));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFEXITED(status)) return ran;
  ran.exit_code = WEXITSTATUS(status) & 63;
  ran.hidden = (WEXITSTATUS(status) & 64) != 0;
  return ran;
}

TEST(AppTest, ExitCodesTellUsageFromFailure) {
  EXPECT_EQ(RunWith({"--help"}).exit_code, 0);
  EXPECT_EQ(RunWith({"study", "show", "--help"}).exit_code, 0);
  EXPECT_EQ(RunWith({}).exit_code, 2);
  EXPECT_EQ(RunWith({"dance"}).exit_code, 2);
  EXPECT_EQ(RunWith({"study"}).exit_code, 2);
  EXPECT_EQ(RunWith({"serve"}).exit_code, 2);  // without its configuration
  EXPECT_EQ(RunWith({"doctor", "--config", "/nonexistent/site.yaml"}).exit_code,
            1);
}

TEST(AppTest, EveryCommandsHelpHasAnExample) {
  const std::vector<std::string> commands[] = {{"serve"},
                                               {"doctor"},
                                               {"study", "show"},
                                               {"study", "approve"},
                                               {"study", "refuse"}};
  for (std::vector<std::string> command : commands) {
    const std::string name = command.back();
    command.push_back("--help");
    const std::string help = RunWith(command).out;
    EXPECT_TRUE(absl::StrContains(help, "Example:\n  hilum-site ")) << help;
    EXPECT_TRUE(absl::StrContains(help, name + " --config site.yaml")) << help;
  }
}

// Its keys are in memory and its ledger in files from the first line on.
TEST(AppTest, BeforeItReadsAnythingItsMemoryAndFilesAreItsOwn) {
  const Ran ran = RunWith({"doctor", "--config", "/nonexistent/site.yaml"});
  EXPECT_TRUE(absl::StrContains(ran.out, "/nonexistent/site.yaml")) << ran.out;
  EXPECT_TRUE(ran.hidden);
}

}  // namespace
}  // namespace hilum
