// SPDX-License-Identifier: Apache-2.0
#include "sim/message_yaml.h"

#include <gtest/gtest.h>

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
            "    learning_rate: 0.10000000000000001\n"
            "seed: 18446744073709551615\n");
}

}  // namespace
}  // namespace hilum
