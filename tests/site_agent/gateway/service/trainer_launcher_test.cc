// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/service/trainer_launcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/file.h"

namespace hilum {
namespace {

using testing::HasSubstr;

class TrainerLauncherTest : public testing::Test {
 protected:
  TrainerLauncherTest() {
    std::string name = testing::TempDir() + "/trainer-launcher-XXXXXX";
    folder_ = mkdtemp(name.data());
  }
  ~TrainerLauncherTest() override { std::filesystem::remove_all(folder_); }

  // A launcher of a shell script in the trainer's place.
  std::unique_ptr<TrainerLauncher> Launch(
      const std::string& script, std::vector<std::string> arguments = {}) {
    const std::string path = folder_ + "/trainer";
    EXPECT_TRUE(WriteFileAtomically(path, "#!/bin/sh\n" + script,
                                    Durability::kNone, 0700)
                    .ok());
    auto launcher = TrainerLauncher::Start(path, std::move(arguments));
    EXPECT_TRUE(launcher.ok()) << launcher.status();
    return *std::move(launcher);
  }
  // Returns what the trainer prints up to the end of a line, or of all.
  static std::string LineOf(const TrainerChild& child) {
    std::string line;
    char byte = 0;
    while (read(child.output.get(), &byte, 1) == 1 && byte != '\n') {
      line.push_back(byte);
    }
    return line;
  }

  std::string folder_;
};

TEST_F(TrainerLauncherTest, ItStartsTheOneCommandLineAgainAndAgain) {
  auto launcher = Launch("echo \"$1 $4 $5\"\n", {"--work", "/w x"});
  for (int i = 0; i < 2; ++i) {
    auto child = launcher->StartTrainer();
    ASSERT_TRUE(child.ok()) << child.status();
    EXPECT_EQ(LineOf(*child), "serve --work /w x");
    launcher->EndTrainer(child->pid);
  }
}

TEST_F(TrainerLauncherTest, HowATrainerEndedIsSaid) {
  auto launcher = Launch("exit 3\n");
  auto child = launcher->StartTrainer();
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_EQ(LineOf(*child), "");  // it has ended
  EXPECT_THAT(launcher->EndTrainer(child->pid), HasSubstr("3"));
}

TEST_F(TrainerLauncherTest, TrainersEndWithTheirLauncher) {
  auto launcher = Launch("echo up\nexec sleep 600\n");
  auto child = launcher->StartTrainer();
  ASSERT_TRUE(child.ok()) << child.status();
  ASSERT_EQ(LineOf(*child), "up");
  launcher.reset();
  pollfd output = {child->output.get(), POLLIN, 0};
  ASSERT_EQ(poll(&output, 1, 30000), 1) << "it runs still";
  EXPECT_EQ(LineOf(*child), "");
}

TEST_F(TrainerLauncherTest, AMissingBinaryIsNamed) {
  auto launcher = TrainerLauncher::Start(folder_ + "/none", {});
  ASSERT_TRUE(launcher.ok());
  const auto started = (*launcher)->StartTrainer();
  EXPECT_EQ(started.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(started.status().message()),
              HasSubstr("no trainer to run (trainer.binary)"));
}

TEST_F(TrainerLauncherTest, ItEndsNoProcessThatItDidNotStart) {
  const pid_t other = fork();
  if (other == 0) {
    for (;;) pause();
  }
  Launch("")->EndTrainer(other);
  EXPECT_EQ(waitpid(other, nullptr, WNOHANG), 0);  // it runs
  kill(other, SIGKILL);
  waitpid(other, nullptr, 0);
}

}  // namespace
}  // namespace hilum
