// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/predict/predict_command.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>

namespace hilum {
namespace {

TEST(PredictCommandTest, TheCommandLineIsUnderstood) {
  const auto parses = [](const std::string& line) {
    CLI::App app;
    std::function<absl::Status()> action;
    AddPredictCommand(app, action);
    try {
      app.parse(line);
    } catch (const CLI::ParseError&) {
      return false;
    }
    return static_cast<bool>(action);
  };
  EXPECT_TRUE(parses("predict --model m --data a.csv --out o.csv"));
  EXPECT_TRUE(
      parses("predict --model m n --data a.png b.dcm store --out o.jsonl "
             "--each-model --every-case --find-lungs --lungs-weights w "
             "--arm whole --classes a,b --preprocessing hilum --input-size 96 "
             "--views 4 --threads 2 --device cpu --force"));
  EXPECT_FALSE(parses("predict --data a.csv --out o.csv"));
  EXPECT_FALSE(parses("predict --model m --out o.csv"));
  EXPECT_FALSE(parses("predict --model m --data a.csv"));
  EXPECT_FALSE(parses("predict --model m --data a --out o.csv --arm lungs"));
  EXPECT_FALSE(parses("predict --model m --data a --out o.csv --views 0"));
  EXPECT_FALSE(parses("predict --model m --data a --out o --lungs-weights w"));
}

TEST(PredictCommandTest, TheNetworkIsGoneBeforeAnythingIsOpened) {
  const auto run = [] {
    CLI::App app;
    std::function<absl::Status()> action;
    AddPredictCommand(app, action);
    app.parse("predict --model absent --data absent.png --out absent.csv");
    if (socket(AF_INET, SOCK_STREAM, 0) < 0) std::exit(2);  // too early
    if (action().code() != absl::StatusCode::kNotFound) std::exit(3);
    std::exit(socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM ? 0 : 1);
  };
  // The child must not have Torch's threads.
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(run(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace hilum
