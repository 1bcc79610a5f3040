// SPDX-License-Identifier: Apache-2.0
// Checks what a trainer's process inherits from the process that starts it,
// with a script in the trainer's place.
#include "site_agent/trainer/service/trainer_child.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/file.h"

namespace hilum {
namespace {

class TrainerChildTest : public testing::Test {
 protected:
  TrainerChildTest() {
    std::string name = testing::TempDir() + "/trainer-child-XXXXXX";
    folder_ = mkdtemp(name.data());
  }
  ~TrainerChildTest() override { std::filesystem::remove_all(folder_); }

  TrainerChild Start(const std::string& script) {
    const std::string path = folder_ + "/trainer";
    EXPECT_TRUE(WriteFileAtomically(path, "#!/bin/sh\n" + script,
                                    Durability::kNone, 0700)
                    .ok());
    auto child = StartTrainer(path, {}, TrainerOutput::kPiped);
    EXPECT_TRUE(child.ok()) << child.status();
    return *std::move(child);
  }
  // Returns the script's output up to the end of a line.
  static std::string LineOf(const TrainerChild& child) {
    std::string line;
    char byte = 0;
    while (read(child.output.get(), &byte, 1) == 1 && byte != '\n') {
      line.push_back(byte);
    }
    return line;
  }
  // Whether the process runs. A process that nobody waits for may stay a
  // zombie.
  static bool Runs(pid_t pid) {
    const std::string stat =
        ReadFile(absl::StrCat("/proc/", pid, "/stat")).value_or("");
    const size_t name_end = stat.rfind(')');
    return name_end != std::string::npos && stat[name_end + 2] != 'Z' &&
           stat[name_end + 2] != 'X';
  }

  std::string folder_;
};

TEST_F(TrainerChildTest, ItHasNoInputNoTerminalAndASessionOfItsOwn) {
  TrainerChild child = Start(
      "echo $(readlink /proc/$$/fd/0) $(readlink /proc/$$/fd/1) "
      "$(cut -d' ' -f6,7 /proc/$$/stat); exec sleep 1000\n");
  const std::vector<std::string> words = absl::StrSplit(LineOf(child), ' ');
  ASSERT_EQ(words.size(), 4u);
  EXPECT_EQ(words[0], "/dev/null");
  EXPECT_THAT(words[1], testing::StartsWith("pipe:"));
  EXPECT_EQ(words[2], absl::StrCat(child.pid));  // session
  EXPECT_EQ(words[3], "0");                      // terminal
  EndTrainer(child.pid);
}

TEST_F(TrainerChildTest, WhatItHasStartedEndsWithIt) {
  TrainerChild child = Start("sleep 1000 & echo $!; exec sleep 1000\n");
  pid_t grandchild = 0;
  ASSERT_TRUE(absl::SimpleAtoi(LineOf(child), &grandchild));
  ASSERT_TRUE(Runs(grandchild));
  EndTrainer(child.pid);
  for (int i = 0; i < 500 && Runs(grandchild); ++i) poll(nullptr, 0, 10);
  EXPECT_FALSE(Runs(grandchild));
}

TEST_F(TrainerChildTest, WhatItLeavesBehindEndsThoughItHasEndedItself) {
  TrainerChild child = Start("sleep 1000 & echo $!\n");
  pid_t grandchild = 0;
  ASSERT_TRUE(absl::SimpleAtoi(LineOf(child), &grandchild));
  while (Runs(child.pid)) poll(nullptr, 0, 10);
  EXPECT_EQ(EndTrainer(child.pid), "ended with code 0");
  for (int i = 0; i < 500 && Runs(grandchild); ++i) poll(nullptr, 0, 10);
  EXPECT_FALSE(Runs(grandchild));
}

}  // namespace
}  // namespace hilum
