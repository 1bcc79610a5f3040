// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/study_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/config/study.h"
#include "common/config/yaml.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

using testing::HasSubstr;
using testing::Not;

StudyView View(const std::vector<std::string>& sites) {
  StudyView view{.hash = std::string(32, '\x5a'),
                 .decision = "waiting for you",
                 .asked = {.site = SiteId("a")},
                 .weights = {true, "random"},
                 .config_path = "site.yaml"};
  v1::Study& study = view.study;
  study.set_name("lungs");
  for (const char* label : {"sick", "well"}) study.add_classes(label);
  for (const std::string& site : sites) {
    study.add_sites(site);
    study.add_site_keys(Sha256Of(site));
  }
  study.add_arms(v1::ARM_WHOLE);
  study.mutable_cross_validation()->set_folds(2);
  study.mutable_training()->set_rounds(10);
  study.set_initial_weights_sha256(std::string(32, '\x77'));
  FillStudyDefaults(study);
  return view;
}

// Returns the text on one line.
std::string Text(const StudyView& view) {
  const auto text = StudyText(view);
  EXPECT_TRUE(text.ok()) << text.status();
  return absl::StrReplaceAll(text.value_or(""), {{"\n  ", " "}, {"\n", " "}});
}

TEST(StudyTextTest, TheImagesOfTheStartingWeightsAreNamedAndNotPrinted) {
  StudyView view = View({"a", "b", "c"});
  EXPECT_THAT(Text(view), HasSubstr("drawn from the seed 0"));
  v1::StartingWeights& weights = *view.study.mutable_starting_weights();
  weights.set_file("best.safetensors");
  weights.set_file_sha256(std::string(32, 'h'));
  v1::TrainedOn& set = *weights.add_trained_on();
  set.set_name("open set");
  set.set_images(1);
  set.set_digests("\x01\x02\x03\x04\x05\x06\x07\x08");
  const std::string text = Text(view);
  EXPECT_THAT(text, HasSubstr("best.safetensors"));
  EXPECT_THAT(text, HasSubstr("learned from open set (1 image)"));
  EXPECT_THAT(text, HasSubstr("are left out of the evaluation"));
  EXPECT_THAT(text, HasSubstr("fewer than 10 patients in the list"));
  EXPECT_THAT(text, Not(HasSubstr("digests")));
  view.study.mutable_evaluation()->set_exclude_pretraining_cases(false);
  EXPECT_THAT(Text(view), HasSubstr("stay in the evaluation"));
}

TEST(StudyTextTest, NamesEachSiteWithItsKeyAndHowManyAreKnown) {
  StudyView view = View({"a", "b", "c", "d", "e"});
  const std::string nobody = Text(view);
  EXPECT_THAT(nobody, HasSubstr("0 of 4 other sites are known to you"));
  EXPECT_THAT(nobody, HasSubstr(absl::StrCat("a ", ToHex(Sha256Of("a")),
                                             " this site")));
  v1::TrustedPeer* peer = view.asked.policy.add_trusted_peers();
  peer->set_site("c");
  peer->set_key(ToHex(Sha256Of("c")));
  const std::string one = Text(view);
  EXPECT_THAT(one, HasSubstr("1 of 4 other sites are known to you"));
  EXPECT_THAT(one, HasSubstr(absl::StrCat("c ", ToHex(Sha256Of("c")),
                                          " known to you")));
}

TEST(StudyTextTest, SaysWhatSecureAggregationHidesAndFromHowMany) {
  const std::string text = Text(View({"a", "b", "c", "d"}));
  EXPECT_THAT(text,
              HasSubstr("can read only sums over at least 3 of the 4 "
                        "sites. This holds if the coordinator has the help "
                        "of at most 1 of the sites."));
}

TEST(StudyTextTest, SaysThatEverySiteReadsTheSumsAndWhatTheyShow) {
  const std::string text = Text(View({"a", "b", "c", "d"}));
  EXPECT_THAT(text, HasSubstr("Every site reads the same sums"));
  EXPECT_THAT(text, HasSubstr("what one site has alone"));
  EXPECT_THAT(text, HasSubstr("If a site leaves between the first sum and the "
                              "evaluation"));
}

// If the study needs all of its sites in each sum, none may leave.
TEST(StudyTextTest, SaysHowFewStepsARoundHas) {
  StudyView view = View({"a", "b", "c"});
  EXPECT_THAT(Text(view), HasSubstr("10 rounds of 1 epoch each."));
  EXPECT_THAT(Text(view), HasSubstr("Each round has at least 8 training"));
  v1::Training& training = *view.study.mutable_training();
  training.clear_local_epochs();
  training.set_local_steps(1);
  training.set_batch_size(64);
  EXPECT_THAT(Text(view), HasSubstr("10 rounds of 1 training step each."));
  EXPECT_THAT(Text(view), HasSubstr("only 1 training step of a batch of 64 "
                                    "cases of all sites together"));
}

TEST(StudyTextTest, CountsTheSitesThatTheStudyWantsInEachSum) {
  StudyView view = View({"a", "b", "c", "d"});
  view.study.mutable_aggregation()->set_minimum_sites(4);
  const std::string text = Text(view);
  EXPECT_THAT(text, HasSubstr("sums over at least 4 of the 4 sites"));
  EXPECT_THAT(text, HasSubstr("whichever 4 of the 4 sites are in a sum"));
  EXPECT_THAT(text, Not(HasSubstr("If a site leaves")));
}

TEST(StudyTextTest, SaysOfTwoHospitalsThatTheySeeEachOther) {
  const std::string text = Text(View({"a", "b"}));
  EXPECT_THAT(text, HasSubstr("The study has no secure aggregation"));
  EXPECT_THAT(text, HasSubstr("With two hospitals the other hospital can"));
}

// hilum_small with two classes has 1,183,826 weights. Three tracks of these,
// each with a count and a loss, of four bytes each, leave in ten rounds.
TEST(StudyTextTest, SaysHowMuchLeavesInARoundAndInAll) {
  EXPECT_THAT(Text(View({"a", "b", "c"})),
              HasSubstr("about 14 MB. At the end"));
  EXPECT_THAT(Text(View({"a", "b", "c"})), HasSubstr("In all about 142 MB."));
}

TEST(StudyTextTest, TheCommandHasEveryYesThatIsNeeded) {
  StudyView view = View({"a", "b", "c"});
  EXPECT_EQ(ApproveCommand(view),
            "hilum-site study approve --config site.yaml 5a5a5a5a5a5a");
  view.config_path = "St Mary's/site.yaml";
  EXPECT_EQ(ApproveCommand(view),
            "hilum-site study approve --config 'St Mary'\\''s/site.yaml' "
            "5a5a5a5a5a5a");
  view.config_path = "site.yaml";
  view.risks = {{"weak_policy", "little is guarded"},
                {"unpinned_keys", "nobody is known"}};
  view.weights = {false, "unknown"};
  EXPECT_EQ(MissingRisks(view).size(), 2u);
  EXPECT_TRUE(LacksWeights(view));
  const std::string command = absl::StrCat(
      "hilum-site study approve --config site.yaml 5a5a5a5a5a5a --accept "
      "unpinned_keys,weak_policy --weights ",
      ToHex(std::string(32, '\x77')));
  EXPECT_EQ(ApproveCommand(view), command);
  const std::string text = Text(view);
  EXPECT_THAT(text, HasSubstr(command));
  EXPECT_THAT(text, HasSubstr("- weak_policy: little is guarded."));
  EXPECT_THAT(text, HasSubstr("- unknown_weights:"));
}

TEST(StudyTextTest, WhatIsAcceptedIsSaidToBeAndNotMissing) {
  StudyView view = View({"a", "b", "c"});
  view.risks = {{"weak_policy", "little is guarded"}};
  view.accepted.risks = {"weak_policy"};
  EXPECT_TRUE(MissingRisks(view).empty());
  EXPECT_THAT(Text(view), HasSubstr("- weak_policy (accepted): little"));
}

TEST(StudyTextTest, ConflictsAreSaidBeforeTheApproval) {
  StudyView view = View({"a", "b", "c"});
  EXPECT_THAT(Text(view), HasSubstr("Conflicts with this site's policy None."));
  view.conflicts = {"policy.architectures does not list hilum_small"};
  EXPECT_THAT(Text(view), HasSubstr("- policy.architectures does not list"));
}

TEST(StudyTextTest, EndsWithTheStudyAsYamlThatReadsBack) {
  const StudyView view = View({"a", "b", "c"});
  const std::string text = StudyText(view).value();
  const std::string heading = "The study in full\n";
  const size_t at = text.find(heading);
  ASSERT_NE(at, std::string::npos);
  v1::Study read;
  const absl::Status parsed =
      ParseYaml(text.substr(at + heading.size()), "shown", &read);
  ASSERT_TRUE(parsed.ok()) << parsed;
  EXPECT_EQ(SerializeStudy(read), SerializeStudy(view.study));
}

}  // namespace
}  // namespace hilum
