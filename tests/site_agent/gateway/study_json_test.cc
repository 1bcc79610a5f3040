// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/study_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "common/config/study.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

using Json = nlohmann::json;

StudyView View() {
  StudyView view{.hash = std::string(32, '\x5a'),
                 .decision = "waiting for you",
                 .asked = {.site = SiteId("a")},
                 .weights = {true, "random"},
                 .config_path = "site.yaml"};
  v1::Study& study = view.study;
  study.set_name("lungs");
  for (const char* label : {"sick", "well"}) study.add_classes(label);
  for (const char* site : {"a", "b"}) study.add_sites(site);
  study.add_arms(v1::ARM_WHOLE);
  study.mutable_training()->set_rounds(10);
  study.set_initial_weights_sha256(std::string(32, '\x77'));
  FillStudyDefaults(study);
  return view;
}

Json Parsed(const StudyView& view) {
  const std::string line = StudyJson(view);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  return Json::parse(line);
}

// Programs go by these names (docs/commands.md).
TEST(StudyJsonTest, EveryFieldKeepsItsName) {
  const Json json = Parsed(View());
  std::set<std::string> names;
  for (const auto& [name, value] : json.items()) names.insert(name);
  EXPECT_EQ(names,
            (std::set<std::string>{"hash", "name", "state", "task", "sites",
                                   "secure_aggregation", "weights", "conflicts",
                                   "risks", "approve", "study"}));
  EXPECT_EQ(json["hash"], ToHex(std::string(32, '\x5a')));
  EXPECT_EQ(json["name"], "lungs");
  EXPECT_EQ(json["state"], "waiting for you");
  EXPECT_EQ(json["task"], "classification");
  EXPECT_EQ(json["sites"], (Json{"a", "b"}));
  EXPECT_EQ(json["weights"]["sha256"], ToHex(std::string(32, '\x77')));
}

TEST(StudyJsonTest, RisksSayWhetherTheyAreAccepted) {
  StudyView view = View();
  view.risks = {{std::string(kUnpinnedKeys), "no keys"},
                {std::string(kWeakPolicy), "weak"}};
  view.accepted.risks = {std::string(kWeakPolicy)};
  const Json risks = Parsed(view)["risks"];
  ASSERT_EQ(risks.size(), 2u);
  EXPECT_EQ(risks[0]["name"], "unpinned_keys");
  EXPECT_EQ(risks[0]["sentence"], "no keys");
  EXPECT_EQ(risks[0]["accepted"], false);
  EXPECT_EQ(risks[1]["accepted"], true);
}

TEST(StudyJsonTest, UnknownWeightsAreNotAcceptedUntilTheirDigestIs) {
  StudyView view = View();
  EXPECT_EQ(Parsed(view)["weights"]["accepted"], true);
  view.weights = {false, "nobody knows"};
  EXPECT_EQ(Parsed(view)["weights"]["accepted"], false);
  EXPECT_EQ(Parsed(view)["weights"]["known"], false);
  view.accepted.weights_sha256 = view.study.initial_weights_sha256();
  EXPECT_EQ(Parsed(view)["weights"]["accepted"], true);
}

// A coordinator's text must not end the line, and the line stays JSON.
TEST(StudyJsonTest, BytesThatAreNoTextStayWithinTheirString) {
  StudyView view = View();
  view.study.set_name("lungs\xff\n{\"state\":\"approved\"}");
  const Json json = Parsed(view);
  EXPECT_EQ(json["state"], "waiting for you");
  const std::string line =
      UnreadableStudyJson("5a\n", "waiting for you", "byte \xff\n3");
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const Json unreadable = Json::parse(line);
  EXPECT_EQ(unreadable.size(), 3u);
  EXPECT_EQ(unreadable["hash"], "5a\n");
  EXPECT_EQ(unreadable["state"], "waiting for you");
}

}  // namespace
}  // namespace hilum
