// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/starting_weights_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/config/starting_weights.h"
#include "coordinator/report/model_card.h"
#include "tests/coordinator/written_report.h"

namespace hilum {
namespace {

using testing::HasSubstr;

class StartingWeightsJsonTest : public ReportTest {
 protected:
  // Lets the study start from a file whose list has some of the sick cases.
  void StartFromAFile() {
    v1::StartingWeights& weights = *federated_.study.mutable_starting_weights();
    weights.set_file("<best>.safetensors");
    weights.set_file_sha256(std::string(32, 'h'));
    v1::TrainedOn& set = *weights.add_trained_on();
    set.set_name("open set");
    set.set_licence("CC0");
    set.set_images(1);
    set.set_digests("12345678");
    v1::ArmCensus& arm = *federated_.census_totals.mutable_arms(0);
    for (uint64_t seen : {4, 0, 6, 0}) arm.add_fold_class_seen(seen);
  }
};

TEST_F(StartingWeightsJsonTest, WeightsOfTheSeedHaveSeenNothing) {
  Write({});
  const nlohmann::json start = report_["starting_weights"];
  EXPECT_EQ(start["architecture"], "hilum_small");
  EXPECT_TRUE(start["file"].is_null());
  EXPECT_EQ(start["known"], true);
  EXPECT_EQ(start["excluded"], false);
  EXPECT_TRUE(start["arms"].empty());
  EXPECT_THAT(html_, HasSubstr("starting weights: drawn from the seed"));
}

TEST_F(StartingWeightsJsonTest, ReportPageAndCardNameTheFileAndTheOverlap) {
  StartFromAFile();
  Write({});
  const nlohmann::json start = report_["starting_weights"];
  EXPECT_EQ(start["file"], "<best>.safetensors");
  EXPECT_EQ(start["file_sha256"].get<std::string>().substr(0, 4), "6868");
  EXPECT_EQ(start["trained_on"][0]["name"], "open set");
  EXPECT_EQ(start["trained_on"][0]["listed"], true);
  EXPECT_EQ(start["excluded"], true);
  const nlohmann::json whole = start["arms"]["whole"];
  EXPECT_EQ(whole["seen"], 10);
  EXPECT_EQ(whole["held_out"], 80);
  EXPECT_EQ(whole["per_class"]["sick"]["seen"], 10);
  EXPECT_EQ(whole["per_class"]["well"]["seen"], 0);
  EXPECT_THAT(report_["warnings"][0].get<std::string>(),
              HasSubstr("leave out 10 of 80 held-out cases of arm whole"));
  EXPECT_THAT(html_, HasSubstr("leave out 10 of 80"));
  EXPECT_THAT(html_, HasSubstr("&lt;best&gt;.safetensors"));
  EXPECT_EQ(html_.find("<best>"), std::string::npos);
  const absl::StatusOr<std::string> card = ModelCard(federated_, text_);
  ASSERT_TRUE(card.ok()) << card.status();
  EXPECT_THAT(*card, HasSubstr("leave out 10 of 80"));
  EXPECT_THAT(*card, HasSubstr("learned from open set (1 image, CC0)"));
  // Digests are for sites, not for readers.
  EXPECT_EQ(text_.find("12345678"), std::string::npos);
}

}  // namespace
}  // namespace hilum
