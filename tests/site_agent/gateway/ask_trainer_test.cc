// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/service/ask_trainer.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hilum {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

absl::StatusOr<TrainerAnswer> Sh(const std::string& script) {
  return AskTrainer("/bin/sh", {"-c", script});
}

TEST(AskTrainerTest, LinesAndExitCodeComeBack) {
  auto answer = Sh("echo ok one; echo; echo FAIL two; exit 1");
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->exit_code, 1);
  EXPECT_THAT(answer->lines, ElementsAre("ok one", "FAIL two"));
}

TEST(AskTrainerTest, ASignalAndAMissingProgramAreTold) {
  EXPECT_EQ(Sh("kill -KILL $$")->exit_code, 128 + 9);
  EXPECT_EQ(AskTrainer("/absent/program", {})->exit_code, 127);
}

TEST(AskTrainerTest, ItHasNothingToRead) {
  auto answer = Sh("cat; echo end");
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_THAT(answer->lines, ElementsAre("end"));
}

TEST(AskTrainerTest, EndlessOutputIsEnded) {
  EXPECT_EQ(Sh("exec yes").status().code(),
            absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace hilum
