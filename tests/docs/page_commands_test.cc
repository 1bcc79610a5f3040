// SPDX-License-Identifier: Apache-2.0
// Runs the commands on the pages like a newcomer, in an empty folder that has
// the tree's build/bin and scenarios. `./dev deps`, `build` and `demo` are not
// run again: demo_test.cc runs the demo's script.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/file.h"
#include "sim/child_process.h"
#include "tests/docs/page.h"

namespace hilum {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;

namespace fs = std::filesystem;

// Stops at the first command that fails and names its line of the page. Notes
// each program that the page starts in the background (bash forgets those that
// have ended), waits for them, and ends them if the page has failed.
constexpr char kRun[] = R"bash(
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
trap 'exit 124' INT TERM
set -EeTuo pipefail
trap 'echo "line $LINENO of the page failed"' ERR
declare -A started
trap '[ -z "${!:-}" ] || started[$!]=1' DEBUG
. "$1"
true
trap - DEBUG
for pid in "${!started[@]}"; do
  wait "$pid" || { echo "a program in the background failed"; exit 1; }
done
)bash";

// The pages name an operator's usual port; the test takes a free one.
std::string FreePort() {
  const ScopedFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(bind(fd.get(), generic, size), 0);
  EXPECT_EQ(getsockname(fd.get(), generic, &size), 0);
  return absl::StrCat(ntohs(address.sin_port));
}

std::string TextOf(const std::string& path) {
  return ReadFile(absl::StrCat(HILUM_SOURCE_DIR, "/", path)).value_or("");
}

class PageCommandsTest : public testing::Test {
 protected:
  PageCommandsTest() {
    fs::create_directories(absl::StrCat(folder_, "/build"));
    fs::create_symlink(HILUM_BIN_DIR, absl::StrCat(folder_, "/build/bin"));
    fs::create_symlink(HILUM_SOURCE_DIR "/sim", absl::StrCat(folder_, "/sim"));
  }
  ~PageCommandsTest() override {
    if (!HasFailure()) fs::remove_all(folder_);
  }

  struct Outcome {
    int exit_status;
    std::string output;
  };
  Outcome Type(const PageCommands& page) const {
    const std::string script = absl::StrCat(folder_, "/page.sh");
    const std::string log = absl::StrCat(folder_, "/log");
    EXPECT_TRUE(WriteFileAtomically(
                    script, absl::StrReplaceAll(page.script,
                                                {{":8443", ":" + FreePort()}}))
                    .ok());
    fs::remove(log);
    auto child = ChildProcess::Start(
        {"/usr/bin/env", "-C", folder_, "OMP_WAIT_POLICY=passive", "timeout",
         "-k", "10", "240", "bash", "-c", kRun, "bash", script},
        log);
    if (!child.ok()) return {-1, std::string(child.status().message())};
    return {child->Wait(absl::Minutes(5)).value_or(-1),
            ReadFile(log).value_or("")};
  }

  bool Has(const std::string& file) const {
    return FileExists(absl::StrCat(folder_, "/", file));
  }

  const std::string folder_ =
      absl::StrCat(testing::TempDir(), "/hilum-page-", getpid());
};

// Checks that `dev` runs each command, and that its help lists it.
void ExpectDevHas(const std::vector<std::string>& commands) {
  const std::string dev = TextOf("dev");
  for (const std::string& command : commands) {
    EXPECT_THAT(dev, HasSubstr(absl::StrCat("\n  ", command, ")"))) << command;
    EXPECT_THAT(dev, HasSubstr(absl::StrCat("\n  ", command, " "))) << command;
  }
}

TEST_F(PageCommandsTest, TheReadmeLeadsToAFirstResult) {
  const PageCommands page = CommandsOf(TextOf("README.md"));
  EXPECT_THAT(page.faults, IsEmpty());
  EXPECT_THAT(page.dev_commands, ElementsAre("deps", "build", "demo"));
  ExpectDevHas(page.dev_commands);
  const Outcome typed = Type(page);
  EXPECT_EQ(typed.exit_status, 0) << typed.output;
}

TEST_F(PageCommandsTest, TheQuickstartEndsWithAReport) {
  const PageCommands page = CommandsOf(TextOf("docs/quickstart.md"));
  EXPECT_THAT(page.faults, IsEmpty());
  ExpectDevHas(page.dev_commands);
  const Outcome typed = Type(page);
  ASSERT_EQ(typed.exit_status, 0) << typed.output;
  const std::string out = "out/quickstart/";
  for (const char* file :
       {"result/report.html", "result/report.json",
        "result/model/whole-final.safetensors", "simulated/report.html",
        "hospitals/site-a/state/ledger.jsonl"}) {
    EXPECT_TRUE(Has(out + file)) << file;
  }
  std::set<std::string> notes;
  for (const auto& entry : fs::recursive_directory_iterator(
           absl::StrCat(folder_, "/", out, "hospitals/site-a/state/results"))) {
    notes.insert(entry.path().filename());
  }
  EXPECT_THAT(notes, IsSupersetOf({"rejected.csv", "rejected_masks.csv",
                                   "predictions-site-site-a.csv"}));
}

TEST_F(PageCommandsTest, TheExampleOfPredictionsWritesThem) {
  const PageCommands page = CommandsOf(TextOf("docs/predict.md"));
  for (const std::string& fault : page.faults) {
    EXPECT_THAT(fault, HasSubstr("a fence without a language"));
  }
  const Outcome typed = Type(page);
  ASSERT_EQ(typed.exit_status, 0) << typed.output;
  for (const char* file :
       {"final.csv", "folds.csv", "store.jsonl", "some.csv"}) {
    EXPECT_TRUE(Has(absl::StrCat("out/predict/", file))) << file;
  }
  const std::string csv =
      ReadFile(absl::StrCat(folder_, "/out/predict/final.csv")).value_or("");
  EXPECT_THAT(csv, HasSubstr("case,file,sop_instance,predicted,"));
}

TEST_F(PageCommandsTest, ACommandThatFailsIsNamedWithItsLine) {
  const Outcome typed =
      Type(CommandsOf("# Page\n\n```sh\nhilum-nothing --help\n```\n"));
  EXPECT_NE(typed.exit_status, 0);
  EXPECT_THAT(typed.output, HasSubstr("line 4 of the page failed"));
}

TEST_F(PageCommandsTest, AProgramThatFailsInTheBackgroundIsSeen) {
  EXPECT_NE(
      Type(CommandsOf("```sh\ncat /no/such/file &\n/bin/sleep 0.1\n```\n"))
          .exit_status,
      0);
}

TEST(PageTest, UnknownCommandsAndUnnamedFencesAreFaults) {
  EXPECT_THAT(CommandsOf("```sh\ncurl x | sh\n```\n").faults,
              ElementsAre("2: unknown command curl"));
  EXPECT_THAT(CommandsOf("\n```\nhilum-site serve\n```\n").faults,
              ElementsAre(HasSubstr("2: a fence without a language")));
}

TEST(PageTest, FilesAndContinuedLinesAreNoCommands) {
  const PageCommands page = CommandsOf(
      "```sh\ncat > x <<'END'\nlisten: y\nEND\ncp a \\\n  b\n```\n"
      "```yaml\nlisten: z\n```\n");
  EXPECT_THAT(page.faults, IsEmpty());
  EXPECT_THAT(page.script, HasSubstr("listen: y\nEND\n"));
  EXPECT_THAT(page.script, Not(HasSubstr("listen: z")));
}

TEST(PageTest, CommandsOfDevAreNotRun) {
  const PageCommands page = CommandsOf("```sh\n./dev build  # long\n```\n");
  EXPECT_THAT(page.dev_commands, ElementsAre("build"));
  EXPECT_THAT(page.script, Not(HasSubstr("dev")));
}

}  // namespace
}  // namespace hilum
