// SPDX-License-Identifier: Apache-2.0
// Ctrl-C during a simulation, and the command that resumes it.
#include <gmock/gmock.h>
#include <signal.h>

#include <filesystem>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sim/child_process.h"
#include "tests/e2e/e2e.h"

namespace hilum {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ResumeTest : public EndToEndTest {
 protected:
  std::vector<std::string> Command(const std::string& out,
                                   const std::string& transport) const {
    return absl::StrSplit(
        absl::StrCat(Program("hilum-sim"), " run ", Path("study.yaml"),
                     " --data ", Path("data/manifest.csv"),
                     " --set training.rounds=3 --set arms=[whole]",
                     " --transport ", transport, " --out ", Path(out)),
        ' ');
  }

  // Starts the command, interrupts it once `file` is there, and returns the
  // command line that it prints for resuming.
  std::string Interrupt(std::vector<std::string> command,
                        const std::string& file) {
    const std::string log = Path("interrupted.log");
    std::filesystem::remove(log);
    command.insert(
        command.begin(),
        {"/bin/sh", "-c", "echo $$ > \"$0\"; exec \"$@\"", Path("pid")});
    auto child = ChildProcess::Start(command, log);
    EXPECT_TRUE(child.ok()) << child.status();
    const absl::Status there =
        WaitForFile(Path(file), *child, absl::Minutes(3));
    EXPECT_TRUE(there.ok()) << there;
    kill(std::stoi(Text("pid")), SIGINT);
    EXPECT_EQ(child->Wait(absl::Minutes(1)).value_or(-1), 1);
    const std::string said = Text("interrupted.log");
    const std::string before = "interrupted. To go on from where it stopped:\n";
    EXPECT_THAT(said, HasSubstr(before));
    const size_t at = said.find(before);
    if (at == std::string::npos) return "";
    return std::string(
        absl::StripAsciiWhitespace(said.substr(at + before.size())));
  }
};

TEST_F(ResumeTest, TheCommandThatIsSaidGoesOnToTheSameBits) {
  MakeDataAndStudy();
  const Outcome whole = Run(Command("whole", "inprocess"));
  ASSERT_EQ(whole.exit_status, 0) << whole.output;
  for (const char* transport : {"inprocess", "grpc"}) {
    SCOPED_TRACE(transport);
    const std::string out = absl::StrCat("cut-", transport);
    std::filesystem::create_directories(Path(out));
    std::vector<std::string> command = Command(out, transport);
    command.push_back("--force");
    // Before the study is submitted, and while it is trained.
    const std::string said = Interrupt(command, absl::StrCat(out, "/logs"));
    EXPECT_THAT(said, HasSubstr("--set 'arms=[whole]'"));
    EXPECT_THAT(said, Not(HasSubstr("--force")));
    EXPECT_EQ(Interrupt({"/bin/sh", "-c", absl::StrCat("exec ", said)},
                        absl::StrCat(out, "/sites/site-a/ledger.jsonl")),
              said);
    const Outcome resumed = Run({"/bin/sh", "-c", said});
    ASSERT_EQ(resumed.exit_status, 0) << resumed.output;
    EXPECT_THAT(resumed.output, HasSubstr("Going on with the run in"));
    for (const char* file : {"report.json", "model/whole-final.safetensors"}) {
      EXPECT_TRUE(Text(absl::StrCat("whole/", file)) ==
                  Text(absl::StrCat(out, "/", file)))
          << file;
    }
    const Outcome again = Run({"/bin/sh", "-c", said});
    EXPECT_EQ(again.exit_status, 1);
    EXPECT_THAT(again.output, HasSubstr("holds a finished run"));
  }
}

}  // namespace
}  // namespace hilum
