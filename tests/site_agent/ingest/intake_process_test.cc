// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/intake_process.h"

#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "site_agent/ingest/incoming_file.h"
#include "tests/site_agent/ingest/folder_fixture.h"

namespace hilum {
namespace {

using Kind = IntakeAnswer::Kind;

constexpr char kClass[] = "1.2.840.10008.5.1.4.1.1.1";
constexpr char kExplicit[] = "1.2.840.10008.1.2.1";

class IntakeProcessTest : public FolderTest {
 protected:
  ReceivingOptions Receiving() const {
    return {
        .store = options_.store, .labels = options_.labels, .actor = "listen"};
  }
  // Writes the film as the network brings it: without preamble and header.
  std::string Receive(DicomMaker film, const std::string& uid) {
    const std::string incoming = IncomingFolder(Receiving());
    fs::create_directories(incoming);
    auto file = IncomingFile::Create(incoming, {kClass, uid, kExplicit});
    EXPECT_TRUE(file.ok()) << file.status();
    EXPECT_TRUE(file->Append(film.DataSet()).ok());
    return file->Finish().value_or("");
  }
};

std::string StatusLine(pid_t pid, const std::string& name) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/status"));
  for (std::string line; std::getline(file, line);) {
    if (absl::StartsWith(line, name)) return line;
  }
  return "";
}

TEST_F(IntakeProcessTest, TheProcessThatDecodesIsConfined) {
  auto process = IntakeProcess::Start(Receiving());
  ASSERT_TRUE(process.ok()) << process.status();
  EXPECT_EQ(StatusLine(process->pid(), "Seccomp:"), "Seccomp:\t2");
  auto channel = process->Open();
  ASSERT_TRUE(channel.ok());
  auto answer = channel->Take(Receive(Film(3, "P1"), "1.2.3.3"));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->kind, Kind::kCommitted);
  EXPECT_TRUE(channel->IsKnown("1.2.3.3").value());
  // A second one finds the store taken, and says so.
  EXPECT_TRUE(
      absl::IsFailedPrecondition(IntakeProcess::Start(Receiving()).status()));
  { IntakeChannel closed = *std::move(channel); }
  EXPECT_TRUE((*std::move(process)).Finish().ok());
  EXPECT_TRUE(absl::StrContains(Stored("fingerprint.json"), "1"));
}

TEST_F(IntakeProcessTest, AKilledProcessIsToldFromOneThatFinished) {
  auto process = IntakeProcess::Start(Receiving());
  ASSERT_TRUE(process.ok()) << process.status();
  auto channel = process->Open();
  ASSERT_TRUE(channel.ok());
  kill(process->pid(), SIGKILL);
  EXPECT_TRUE(absl::IsUnavailable(channel->IsKnown("1.2.3").status()));
  EXPECT_TRUE(absl::IsInternal((*std::move(process)).Finish()));
}

TEST_F(IntakeProcessTest, WhatLayInTheFolderIsTakenBeforeStartReturns) {
  Receive(Film(3, "P1"), "1.2.3.3");
  auto process = IntakeProcess::Start(Receiving());
  ASSERT_TRUE(process.ok()) << process.status();
  {
    auto channel = process->Open();
    ASSERT_TRUE(channel.ok());
    EXPECT_TRUE(channel->IsKnown("1.2.3.3").value());
    EXPECT_FALSE(channel->IsKnown("1.2.3.4").value());
  }
  EXPECT_TRUE((*std::move(process)).Finish().ok());
}

}  // namespace
}  // namespace hilum
