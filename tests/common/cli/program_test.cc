// SPDX-License-Identifier: Apache-2.0
#include "common/cli/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <cstdint>

#include "common/base/ids.h"
#include "common/cli/usage.h"

namespace hilum {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct Outcome {
  int exit_status;
  std::string out;
  std::string err;
};

// Runs a program with `run --seed N [FILE]`, `study list` and `study status`.
Outcome Type(
    std::vector<std::string> words,
    const Program::Action& action = [] { return absl::OkStatus(); }) {
  Program program("hilum-test", "Tests the frame.",
                  {"hilum-test run", "hilum-test study list"});
  uint64_t seed = 0;
  int turns = 0;
  std::string file, config;
  CLI::App* run = program.app().add_subcommand("run", "Run");
  run->add_option("--seed", seed, "Of chance");
  run->add_option("--turns", turns, "How many");
  run->add_option("--config", config, "File");
  run->add_option("FILE", file, "A file");
  run->callback([&] { program.action() = action; });
  CLI::App* study = program.app().add_subcommand("study", "Studies");
  study->require_subcommand(1);
  for (const char* name : {"list", "status"}) {
    CLI::App* command = study->add_subcommand(name, "Say");
    command->add_option("--config", config, "File")->required();
    command->callback([&] { program.action() = action; });
  }
  words.insert(words.begin(), "hilum-test");
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int exit_status =
      program.Run(static_cast<int>(pointers.size()), pointers.data());
  return {exit_status, testing::internal::GetCapturedStdout(),
          testing::internal::GetCapturedStderr()};
}

TEST(ProgramTest, VersionIsNameAndVersion) {
  const Outcome outcome = Type({"--version"});
  EXPECT_EQ(outcome.exit_status, 0);
  EXPECT_EQ(outcome.out, "hilum-test " + std::string(SoftwareVersion()) + "\n");
}

TEST(ProgramTest, HelpHasTheExamples) {
  const Outcome outcome = Type({"--help"});
  EXPECT_EQ(outcome.exit_status, 0);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("Examples:\n"),
                                 HasSubstr("\n  hilum-test study list")));
}

TEST(ProgramTest, ExitStatusTellsFailureFromWrongUsage) {
  EXPECT_EQ(Type({"run"}).exit_status, 0);
  const Outcome failed =
      Type({"run"}, [] { return absl::InvalidArgumentError("bad file"); });
  EXPECT_EQ(failed.exit_status, 1);
  EXPECT_EQ(failed.err, "hilum-test: bad file\n");
  const Outcome wrong =
      Type({"run"}, [] { return UsageError("'x' is no partition"); });
  EXPECT_EQ(wrong.exit_status, 2);
  EXPECT_EQ(wrong.err,
            "hilum-test: 'x' is no partition\nSee hilum-test run --help\n");
}

TEST(ProgramTest, UnknownCommandsAreNamedWithTheNearest) {
  const Outcome top = Type({"rnu"});
  EXPECT_EQ(top.exit_status, 2);
  EXPECT_EQ(top.err,
            "hilum-test: no command 'rnu'; did you mean 'run'?\n"
            "See hilum-test --help\n");
  EXPECT_EQ(Type({"study", "stauts", "--config", "x"}).err,
            "hilum-test: no command 'stauts'; did you mean 'status'?\n"
            "See hilum-test study --help\n");
  EXPECT_THAT(Type({"study", "zzzzzzzz"}).err,
              HasSubstr("no command 'zzzzzzzz'; there are list, status\n"));
}

TEST(ProgramTest, UnknownOptionsAreNamedWithTheNearest) {
  // The message is about the misspelling, not about the missing --config.
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"study", "list", "--conifg", "x"},
                                             {"study", "list", "--conifg=x"},
                                             {"run", "--conifg", "x", "y"}}) {
    const Outcome outcome = Type(words);
    EXPECT_EQ(outcome.exit_status, 2);
    EXPECT_THAT(outcome.err,
                StartsWith("hilum-test: no option '--conifg'; did you mean "
                           "'--config'?\n"));
  }
}

TEST(ProgramTest, MissingAndSurplusWordsAreNamed) {
  EXPECT_THAT(Type({}).err, HasSubstr("a command is missing: run, study\n"));
  EXPECT_EQ(Type({}).exit_status, 2);
  EXPECT_THAT(Type({"study"}).err,
              HasSubstr("a command is missing: list, status\n"));
  EXPECT_THAT(Type({"study", "list"}).err, HasSubstr("--config is required"));
  EXPECT_THAT(Type({"run", "a", "b"}).err,
              HasSubstr("'b' is one argument too many"));
}

TEST(ProgramTest, NumbersThatTheParserWouldMisreadAreRefused) {
  for (const char* bad :
       {"-1", "-0", "010", "0x10", "1e3", "", "+1", "18446744073709551616"}) {
    const Outcome outcome = Type({"run", "--seed", bad});
    EXPECT_EQ(outcome.exit_status, 2) << bad;
    EXPECT_THAT(outcome.err,
                AllOf(StartsWith("hilum-test: "), HasSubstr("--seed")))
        << bad;
  }
  EXPECT_THAT(Type({"run", "--seed", "-1"}).err,
              HasSubstr("'-1' must be a whole number in decimal digits, 0 or "
                        "more"));
  EXPECT_EQ(Type({"run", "--turns", "010"}).exit_status, 2);
  EXPECT_EQ(Type({"run", "--turns", "-10"}).exit_status, 0);
  EXPECT_EQ(Type({"run", "--seed", "18446744073709551615"}).exit_status, 0);
  EXPECT_EQ(Type({"run", "--seed", "0"}).exit_status, 0);
}

TEST(ProgramTest, WhatWasTypedDoesNotReachTheTerminalRaw) {
  EXPECT_THAT(Type({"\x1b[2J"}).err, Not(HasSubstr("\x1b")));
}

TEST(ShellLineTest, QuotesWhatAShellWouldRead) {
  EXPECT_EQ(ShellLine({"hilum-sim", "run", "--set", "training.rounds=3"}),
            "hilum-sim run --set training.rounds=3");
  EXPECT_EQ(ShellLine({"a b", "it's", "", "$x"}), "'a b' 'it'\\''s' '' '$x'");
}

}  // namespace
}  // namespace hilum
