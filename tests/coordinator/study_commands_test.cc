// SPDX-License-Identifier: Apache-2.0
#include "coordinator/study_commands.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace hilum {
namespace {

v1::StudyStatus Training() {
  v1::StudyStatus status;
  status.set_study_hash(std::string(32, '\xab'));
  status.set_name("lungs");
  status.set_phase(v1::StudyStatus::TRAINING);
  status.set_round(2);
  status.set_rounds(5);
  status.set_mean_loss(0.5);
  status.add_waiting_for("st-mary");
  return status;
}

TEST(StudyCommandsTest, ALineHasPhaseRoundAndWhoIsAwaited) {
  EXPECT_EQ(StatusLine(Training()),
            "abababababab  lungs  training  round 2 of 5  loss 0.5000  waiting "
            "for st-mary");
}

TEST(StudyCommandsTest, ALineNamesTheTracksThatValidationHasStopped) {
  v1::StudyStatus status = Training();
  status.add_stopped_tracks("whole-fold-1");
  status.add_stopped_tracks("whole-final");
  EXPECT_NE(StatusLine(status).find(
                "round 2 of 5  stopped: whole-fold-1, whole-final  loss"),
            std::string::npos)
      << StatusLine(status);
  EXPECT_EQ(nlohmann::json::parse(StatusJson(status))["stopped_tracks"],
            nlohmann::json({"whole-fold-1", "whole-final"}));
  status.set_phase(v1::StudyStatus::EVALUATING);
  EXPECT_EQ(StatusLine(status).find("stopped:"), std::string::npos);
}

TEST(StudyCommandsTest, JsonHasEveryFieldAlsoWhereThereIsNothing) {
  const auto json = nlohmann::json::parse(StatusJson(Training()));
  EXPECT_EQ(json["hash"].get<std::string>().substr(0, 4), "abab");
  EXPECT_EQ(json["hash"].get<std::string>().size(), 64u);
  EXPECT_EQ(json["name"], "lungs");
  EXPECT_EQ(json["phase"], "training");
  EXPECT_EQ(json["round"], 2);
  EXPECT_EQ(json["rounds"], 5);
  EXPECT_EQ(json["mean_loss"], 0.5);
  EXPECT_EQ(json["waiting_for"], nlohmann::json({"st-mary"}));
  EXPECT_EQ(json["stopped_tracks"], nlohmann::json::array());
  EXPECT_TRUE(json["reason"].is_null());
  v1::StudyStatus stopped;
  stopped.set_phase(v1::StudyStatus::STOPPED);
  stopped.set_reason("line\nbreak \xff");
  const std::string line = StatusJson(stopped);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto other = nlohmann::json::parse(line);
  EXPECT_EQ(other["phase"], "stopped");
  EXPECT_TRUE(other["mean_loss"].is_null());
  EXPECT_TRUE(other["reason"].is_string());
}

}  // namespace
}  // namespace hilum
