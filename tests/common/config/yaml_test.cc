// SPDX-License-Identifier: Apache-2.0
#include "common/config/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hilum/v1/study.pb.h"

namespace hilum {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string ErrorOf(absl::string_view text) {
  v1::Study study;
  absl::Status status = ParseYaml(text, "s.yaml", &study);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(status.message());
}

TEST(ParseYamlTest, FillsEveryKindOfField) {
  v1::Study study;
  absl::Status status = ParseYaml(R"(
name: lungs
classes: [covid19, normal]
arms: [whole]
model: {architecture: vgg16, trainable: last_blocks, last_blocks: 2}
cross_validation: {folds: 3, skip_final_track: true}
training: {optimizer: {kind: adam, learning_rate: 1e-4}}
initial_weights_sha256: 00ff
seed: 18446744073709551615
)",
                                  "s.yaml", &study);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(study.classes(1), "normal");
  EXPECT_EQ(study.arms(0), v1::ARM_WHOLE);
  EXPECT_EQ(study.model().trainable(), v1::Model::TRAINABLE_LAST_BLOCKS);
  EXPECT_TRUE(study.cross_validation().skip_final_track());
  EXPECT_EQ(study.training().optimizer().kind(), v1::Optimizer::KIND_ADAM);
  EXPECT_EQ(study.training().optimizer().learning_rate(), 1e-4);
  EXPECT_EQ(study.initial_weights_sha256(), std::string("\0\xff", 2));
  EXPECT_EQ(study.seed(), 18446744073709551615u);
}

TEST(ParseYamlTest, UnknownFieldIsNamedWithItsPlaceAndTheNearestKnown) {
  EXPECT_EQ(ErrorOf("name: a\ntraining:\n  ruonds: 3\n"),
            "s.yaml:3:3: unknown field 'ruonds'; did you mean 'rounds'?");
}

TEST(ParseYamlTest, IllTypedValueIsNamedWithItsPlace) {
  EXPECT_THAT(ErrorOf("training: {rounds: many}"),
              StartsWith("s.yaml:1:20: 'rounds' is 'many', must be a whole"));
  EXPECT_THAT(ErrorOf("training: {rounds: -1}"), HasSubstr("whole number"));
  EXPECT_THAT(ErrorOf("training: {rounds: 4294967296}"),
              HasSubstr("whole number"));
  EXPECT_THAT(ErrorOf("model: {trainable: some}"),
              HasSubstr("head, last_blocks, all"));
  EXPECT_THAT(ErrorOf("classes: covid19"), HasSubstr("must be a list"));
  EXPECT_THAT(ErrorOf("model: 3"), StartsWith("s.yaml:1:8: expected"));
  EXPECT_THAT(ErrorOf("name: [a]"), HasSubstr("single value"));
}

TEST(ParseYamlTest, TextThatIsNotUtf8IsNamedWithItsPlace) {
  EXPECT_EQ(ErrorOf("name: x\xff\n"), "s.yaml:1:7: 'name' is not UTF-8 text");
  EXPECT_THAT(ErrorOf("sites: [a, \"\xed\xa0\x80\"]\n"),
              StartsWith("s.yaml:1:12: 'sites' is not UTF-8"));
}

TEST(ParseYamlTest, FieldGivenTwiceIsAnError) {
  EXPECT_THAT(ErrorOf("name: a\nname: b\n"), HasSubstr("s.yaml:2:1:"));
}

TEST(ParseYamlTest, BrokenYamlIsNamedWithItsPlace) {
  EXPECT_THAT(ErrorOf("name: [a\n"), HasSubstr("not YAML"));
}

TEST(LoadYamlFileTest, MissingFileIsNamed) {
  v1::Study study;
  absl::Status status = LoadYamlFile("/nowhere/s.yaml", &study);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("/nowhere/s.yaml"));
}

TEST(YamlTest, NegativeSeedsAreRefused) {
  EXPECT_EQ(ErrorOf("name: x\nseed: -1\n"),
            "s.yaml:2:7: 'seed' is '-1', must be a whole number, 0 or more");
}

}  // namespace
}  // namespace hilum
