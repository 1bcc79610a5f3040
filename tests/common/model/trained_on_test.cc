// SPDX-License-Identifier: Apache-2.0
#include "common/model/trained_on.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "common/model/weights_file.h"

namespace hilum {
namespace {

using testing::HasSubstr;

TrainedOnList SomeSets() {
  TrainedOnList data;
  v1::TrainedOn& listed = *data.Add();
  listed.set_name("open");
  listed.set_licence("CC0");
  listed.set_images(2);
  listed.set_digests(
      JoinDigests({std::string("\0\xff\"\\abcd", 8), "zzzzzzzz"}));
  v1::TrainedOn& hidden = *data.Add();
  hidden.set_name("hospitals");
  hidden.set_images(900);
  return data;
}

TEST(TrainedOnTest, WhatIsWrittenIsReadBack) {
  const TrainedOnList data = SomeSets();
  const auto read = TrainedOnOf({{kTrainedOnKey, TrainedOnText(data)}});
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), 2);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ((*read)[i].SerializeAsString(), data[i].SerializeAsString());
  }
  EXPECT_TRUE(TrainedOnOf({{"preprocessing", "hilum"}})->empty());
}

TEST(TrainedOnTest, WhatIsNoListIsRefusedWithTheKeyAndTheWayOut) {
  for (const char* bad :
       {"", "no", "{}", "[1]", "[{}]", "[{\"name\":\"a\",\"images\":-1}]",
        "[{\"name\":1,\"images\":1}]",
        // No digest's kind, another kind, no base64, a byte too few.
        "[{\"name\":\"a\",\"images\":1,\"digests\":\"AAAAAAAAAAA=\"}]",
        "[{\"name\":\"a\",\"images\":1,\"digest\":\"md5\","
        "\"digests\":\"AAAAAAAAAAA=\"}]",
        "[{\"name\":\"a\",\"images\":1,\"digest\":\"sha256-gray16/8\","
        "\"digests\":\"!!!\"}]",
        "[{\"name\":\"a\",\"images\":1,\"digest\":\"sha256-gray16/8\","
        "\"digests\":\"AAAAAAAAAA==\"}]"}) {
    const absl::Status status = TrainedOnOf({{kTrainedOnKey, bad}}).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << bad;
    EXPECT_THAT(std::string(status.message()), HasSubstr("trained_on")) << bad;
    EXPECT_THAT(std::string(status.message()), HasSubstr("trained-on` writes"));
  }
}

// The split of the shared radiographs by which each file was made gives these
// numbers (docs/weights.md, docs/segmentation.md, docs/orientation.md).
TEST(TrainedOnTest, TheProductsWeightsListWhatTheyLearnedFrom) {
  const std::map<std::string, uint64_t> files = {
      {"/site_agent/trainer/weights/hilum_small.safetensors", 481},
      {"/site_agent/trainer/weights/lungs_unet.safetensors", 688},
      {"/site_agent/imaging/upright/orientation.safetensors", 951}};
  for (const auto& [name, images] : files) {
    const auto file = WeightsFile::Open(HILUM_SOURCE_DIR + name);
    ASSERT_TRUE(file.ok()) << file.status();
    const auto data = TrainedOnOf(file->metadata());
    ASSERT_TRUE(data.ok()) << data.status();
    ASSERT_FALSE(data->empty()) << name;
    EXPECT_EQ((*data)[0].images(), images) << name;
    for (const v1::TrainedOn& set : *data) {
      EXPECT_EQ(set.digests().size(), set.images() * kDigestPrefix);
    }
  }
}

}  // namespace
}  // namespace hilum
