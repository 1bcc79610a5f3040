// SPDX-License-Identifier: Apache-2.0
// The rules that all programs and all their subcommands follow at the keyboard.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <map>
#include <regex>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/file.h"
#include "common/base/ids.h"
#include "sim/child_process.h"

namespace hilum {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kPrograms[] = {"hilum-certs",  "hilum-coordinator",
                                     "hilum-site",   "hilum-trainer",
                                     "hilum-ingest", "hilum-sim"};

using Words = std::vector<std::string>;

class ProgramsTest : public testing::TestWithParam<const char*> {
 protected:
  ProgramsTest() { std::filesystem::create_directories(folder_); }
  ~ProgramsTest() override { std::filesystem::remove_all(folder_); }

  struct Said {
    int exit_status = -1;
    std::string text;  // both streams
  };
  Said Type(Words words) const {
    const std::string log = folder_ + "/said";
    std::filesystem::remove(log);
    words.insert(words.begin(), absl::StrCat(HILUM_BIN_DIR "/", GetParam()));
    auto child = ChildProcess::Start(words, log);
    if (!child.ok()) return {-1, std::string(child.status().message())};
    return {child->Wait(absl::Minutes(1)).value_or(-1),
            ReadFile(log).value_or("")};
  }

  // Returns the output of a command's --help, from one run for all tests.
  Said Help(Words words) const {
    static std::map<Words, Said> known;
    words.push_back("--help");
    Words key = words;
    key.push_back(GetParam());
    if (!known.contains(key)) known[key] = Type(words);
    return known[key];
  }

  // Returns the subcommands that a help lists.
  static Words CommandsIn(const std::string& help) {
    static const std::regex command("^  ([a-z][a-z0-9-]*)( |$)");
    Words names;
    bool listed = false;
    for (absl::string_view view : absl::StrSplit(help, '\n')) {
      const std::string line(view);
      if (line == "Subcommands:") {
        listed = true;
        continue;
      }
      if (line.empty()) listed = false;
      std::smatch match;
      if (listed && std::regex_search(line, match, command)) {
        names.push_back(match[1]);
      }
    }
    return names;
  }

  // Calls `look` with each command of the program and its help. The words of
  // the program itself are empty, and come first.
  void ForEachCommand(
      const std::function<void(const Words&, const std::string&)>& look) const {
    std::vector<Words> open = {{}};
    while (!open.empty()) {
      const Words words = open.back();
      open.pop_back();
      const Said help = Help(words);
      ASSERT_EQ(help.exit_status, 0) << absl::StrJoin(words, " ");
      look(words, help.text);
      for (const std::string& name : CommandsIn(help.text)) {
        open.push_back(words);
        open.back().push_back(name);
      }
    }
  }

  const std::string folder_ =
      absl::StrCat(testing::TempDir(), "/programs-", getpid(), "-", GetParam());
};

TEST_P(ProgramsTest, VersionIsNameAndVersion) {
  const Said said = Type({"--version"});
  EXPECT_EQ(said.exit_status, 0);
  EXPECT_EQ(said.text, absl::StrCat(GetParam(), " ", SoftwareVersion(), "\n"));
}

TEST_P(ProgramsTest, EachHelpHasAnExampleOfThatCommandAndNoEnums) {
  int commands = 0;
  ForEachCommand([&](const Words& words, const std::string& help) {
    ++commands;
    Words typed = words;
    typed.insert(typed.begin(), GetParam());
    const std::string command = absl::StrJoin(typed, " ");
    SCOPED_TRACE(command);
    const size_t example = help.find("Example");
    ASSERT_NE(example, std::string::npos);
    EXPECT_THAT(help.substr(example), HasSubstr(command));
    EXPECT_THAT(help, Not(HasSubstr("->")));
    EXPECT_THAT(help, Not(HasSubstr("{{")));
  });
  EXPECT_GT(commands, 3);
}

// The options in an option's example must exist.
TEST_P(ProgramsTest, ExamplesUseOptionsThatTheHelpLists) {
  static const std::regex option("--[a-z][a-z-]*");
  ForEachCommand([&](const Words& words, const std::string& help) {
    if (!CommandsIn(help).empty()) return;
    const size_t at = help.find("Example");
    ASSERT_NE(at, std::string::npos);
    const std::string example = help.substr(at), listed = help.substr(0, at);
    for (std::sregex_iterator it(example.begin(), example.end(), option), end;
         it != end; ++it) {
      EXPECT_THAT(listed, HasSubstr(it->str())) << absl::StrJoin(words, " ");
    }
  });
}

TEST_P(ProgramsTest, UnknownCommandsAndOptionsEndWithTwoAndTheNearest) {
  ForEachCommand([&](const Words& words, const std::string& help) {
    SCOPED_TRACE(absl::StrJoin(words, " "));
    const Words commands = CommandsIn(help);
    Words typed = words;
    if (!commands.empty()) {
      // The first two letters are swapped.
      std::string wrong = commands[0];
      std::swap(wrong[0], wrong[1]);
      typed.push_back(wrong);
      const Said said = Type(typed);
      EXPECT_EQ(said.exit_status, 2);
      EXPECT_THAT(said.text, StartsWith(absl::StrCat(
                                 GetParam(), ": no command '", wrong, "'")));
      EXPECT_THAT(said.text, HasSubstr("did you mean '"));
      typed.pop_back();
      const Said missing = Type(words);
      EXPECT_EQ(missing.exit_status, 2);
      EXPECT_THAT(missing.text, HasSubstr("a command is missing: "));
    }
    typed.push_back("--hlep");
    const Said said = Type(typed);
    EXPECT_EQ(said.exit_status, 2);
    EXPECT_THAT(said.text,
                AllOf(StartsWith(absl::StrCat(GetParam(),
                                              ": no option '--hlep'; did you "
                                              "mean '--help'?\n")),
                      HasSubstr(absl::StrCat("\nSee ", GetParam()))));
  });
}

TEST_P(ProgramsTest, NegativeSeedsAreRefused) {
  ForEachCommand([&](const Words& words, const std::string& help) {
    if (!absl::StrContains(help, "--seed")) return;
    Words typed = words;
    typed.insert(typed.end(), {"--seed", "-1"});
    const Said said = Type(typed);
    EXPECT_EQ(said.exit_status, 2) << absl::StrJoin(words, " ");
    EXPECT_THAT(said.text, HasSubstr("--seed: '-1' must be a whole number"));
  });
}

// Each program has values that only the command itself can check.
TEST_P(ProgramsTest, WrongValuesEndWithTwo) {
  const std::string program = GetParam();
  std::vector<Words> wrong;
  if (program == "hilum-certs") {
    wrong = {{"init", "--consortium", "No Name", "--out", folder_ + "/a"},
             {"site", "--name", "coordinator", "--out", folder_ + "/b"}};
  } else if (program == "hilum-coordinator") {
    wrong = {{"study", "watch", "--config", "none.yaml", "no hash!"},
             {"study", "stop", "--config", "none.yaml", std::string(65, 'a')}};
  } else if (program == "hilum-trainer") {
    wrong = {{"weights", "convert", "in.pth", folder_ + "/out.txt"}};
  } else if (program == "hilum-sim") {
    wrong = {{"run", "study.yaml", "--out", folder_ + "/run"},
             {"run", "study.yaml", "--phantoms", "9", "--partition", "fair",
              "--out", folder_ + "/run"}};
  }
  for (const Words& words : wrong) {
    const Said said = Type(words);
    EXPECT_EQ(said.exit_status, 2) << absl::StrJoin(words, " ") << "\n"
                                   << said.text;
    EXPECT_THAT(said.text, StartsWith(program + ": "));
  }
}

// `hilum-trainer check` is what hilum-site doctor asks of a manifest: a script
// relies on its exit code, a person on its lines.
TEST_P(ProgramsTest, CheckOfAManifestEndsWithOneWhenALineFails) {
  if (std::string(GetParam()) != "hilum-trainer") return;
  auto phantoms =
      ChildProcess::Start({HILUM_BIN_DIR "/hilum-sim", "phantoms", "--count",
                           "4", "--size", "64", "--out", folder_ + "/phantoms"},
                          folder_ + "/said");
  ASSERT_TRUE(phantoms.ok());
  ASSERT_EQ(phantoms->Wait(absl::Minutes(1)).value_or(-1), 0);
  const std::string manifest = folder_ + "/phantoms/manifest.csv";
  const Said right = Type({"check", "--manifest", manifest});
  EXPECT_EQ(right.exit_status, 0) << right.text;
  EXPECT_THAT(right.text, Not(HasSubstr("FAIL")));

  const std::string lost = "file,label,patient_id\ngone.png,covid19,p1\n";
  ASSERT_TRUE(WriteFileAtomically(manifest, lost, Durability::kNone).ok());
  const Said wrong = Type({"check", "--manifest", manifest});
  EXPECT_EQ(wrong.exit_status, 1);
  EXPECT_THAT(wrong.text, AllOf(HasSubstr("\nFAIL"),
                                HasSubstr("row 2: its file is not there")));
}

INSTANTIATE_TEST_SUITE_P(
    All, ProgramsTest, testing::ValuesIn(kPrograms),
    [](const testing::TestParamInfo<const char*>& program) {
      return std::regex_replace(std::string(program.param), std::regex("-"),
                                "_");
    });

}  // namespace
}  // namespace hilum
