// SPDX-License-Identifier: Apache-2.0
#include "common/config/message_yaml.h"

#include <gtest/gtest.h>

#include "common/config/yaml.h"
#include "hilum/v1/config.pb.h"
#include "hilum/v1/study.pb.h"

namespace hilum {
namespace {

TEST(MessageYamlTest, WritesFieldsAsPeopleWriteThem) {
  v1::Study study;
  study.set_name("a \"b\"");
  study.add_classes("one");
  study.add_classes("two");
  study.add_arms(v1::ARM_SEGMENTED);
  study.mutable_model()->set_trainable(v1::Model::TRAINABLE_LAST_BLOCKS);
  study.mutable_training()->mutable_optimizer()->set_learning_rate(0.1);
  study.set_seed(18446744073709551615ull);
  EXPECT_EQ(MessageToYaml(study),
            "name: \"a \\\"b\\\"\"\n"
            "classes: [\"one\", \"two\"]\n"
            "arms: [segmented]\n"
            "model:\n"
            "  trainable: last_blocks\n"
            "training:\n"
            "  optimizer:\n"
            "    learning_rate: 0.1\n"
            "seed: 18446744073709551615\n");
}

TEST(MessageYamlTest, ListsOfMessagesAreReadBackAsTheSameMessage) {
  v1::SiteConfig config;
  for (const char* site : {"north", "south"}) {
    v1::TrustedPeer* peer = config.mutable_policy()->add_trusted_peers();
    peer->set_site(site);
    peer->set_key("00ff");
  }
  config.mutable_policy()->set_minimum_trusted(1);
  const std::string text = MessageToYaml(config);
  EXPECT_EQ(text,
            "policy:\n"
            "  trusted_peers:\n"
            "    - site: \"north\"\n"
            "      key: \"00ff\"\n"
            "    - site: \"south\"\n"
            "      key: \"00ff\"\n"
            "  minimum_trusted: 1\n");
  v1::SiteConfig read;
  ASSERT_TRUE(ParseYaml(text, "site.yaml", &read).ok());
  EXPECT_EQ(read.SerializeAsString(), config.SerializeAsString());
}

}  // namespace
}  // namespace hilum
