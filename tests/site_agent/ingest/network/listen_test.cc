// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/network/listen.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <ostream>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "gtest/gtest.h"

namespace hilum {
namespace {

// Writes each line into a pipe.
class PipeBuffer : public std::stringbuf {
 public:
  explicit PipeBuffer(int fd) : fd_(fd) {}
  int sync() override {
    const std::string text = str();
    str("");
    return write(fd_, text.data(), text.size()) < 0 ? -1 : 0;
  }

 private:
  const int fd_;
};

class ListenTest : public testing::Test {
 protected:
  ListenTest() {
    store_ = absl::StrCat(testing::TempDir(), "/listen_", getpid());
    options_.receiving = {.store = store_, .actor = "listen"};
  }
  ~ListenTest() override { std::filesystem::remove_all(store_); }

  // Starts a process that listens with this soft limit of open files; returns
  // its first line, reads its limits from /proc, and ends it.
  std::string FirstLine(rlim_t open_files) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    const pid_t pid = fork();
    if (pid == 0) {
      rlimit limit;
      getrlimit(RLIMIT_NOFILE, &limit);
      limit.rlim_cur = open_files;
      setrlimit(RLIMIT_NOFILE, &limit);
      PipeBuffer buffer(ends[1]);
      std::ostream out(&buffer);
      const absl::Status status = Listen(options_, out);
      if (!status.ok()) out << status << std::endl;
      _exit(status.ok() ? 0 : 1);
    }
    close(ends[1]);
    FILE* lines = fdopen(ends[0], "r");
    char line[1024] = "";
    EXPECT_NE(fgets(line, sizeof line, lines), nullptr);
    limits_ = ReadFile(absl::StrCat("/proc/", pid, "/limits")).value_or("");
    // One that does not listen ends by itself.
    if (absl::StrContains(line, "listening as")) kill(pid, SIGTERM);
    int status = 0;
    waitpid(pid, &status, 0);
    fclose(lines);
    exit_ = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return line;
  }

  std::string store_;
  ListenOptions options_;
  std::string limits_;
  int exit_ = -1;
};

TEST_F(ListenTest, SaysWhereItListensAndForWhom) {
  const std::string line = FirstLine(256);
  EXPECT_TRUE(absl::StrContains(line, "listening as HILUM on 127.0.0.1:"))
      << line;
  EXPECT_TRUE(absl::StrContains(line, "for this machine alone")) << line;
  EXPECT_EQ(exit_, 0);
  // Shells give a soft limit of 1024 even if more is allowed.
  EXPECT_FALSE(absl::StrContains(limits_, " 256  ")) << limits_;
}

TEST_F(ListenTest, WhatIsWrongIsSaidBeforeItListens) {
  std::ostringstream out;
  options_.ae_title = "SEVENTEEN-LETTERS";
  EXPECT_TRUE(absl::IsInvalidArgument(Listen(options_, out)));
  EXPECT_FALSE(std::filesystem::exists(store_));
  options_.ae_title = "HILUM";
  options_.allow = {"PACS@no-such-host.invalid"};
  EXPECT_TRUE(absl::StrContains(FirstLine(256), "no-such-host.invalid"));
  EXPECT_EQ(exit_, 1);
}

}  // namespace
}  // namespace hilum
