// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/egress_limits.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "hilum/v1/federation.pb.h"
#include "hilum/v1/study.pb.h"

namespace hilum {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

const google::protobuf::ServiceDescriptor& Federation() {
  return *v1::NextTaskRequest::descriptor()->file()->FindServiceByName(
      "Federation");
}

// Adds the message's lists that are not packed numbers, and those within it.
void AddLists(const Descriptor& type, std::set<const Descriptor*>& seen,
              std::vector<const FieldDescriptor*>& lists) {
  if (!seen.insert(&type).second) return;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.is_repeated() && !field.is_packable()) lists.push_back(&field);
    if (field.message_type() != nullptr) {
      AddLists(*field.message_type(), seen, lists);
    }
  }
}

// Without one the gate sends it never, so that a new field would fail at
// hospitals and nowhere else.
TEST(EgressLimitsTest, EveryListOfEveryRequestHasALimit) {
  std::set<const Descriptor*> seen;
  std::vector<const FieldDescriptor*> lists;
  for (int i = 0; i < Federation().method_count(); ++i) {
    AddLists(*Federation().method(i)->input_type(), seen, lists);
  }
  EXPECT_EQ(lists.size(), 9u);
  for (const FieldDescriptor* list : lists) {
    EXPECT_TRUE(MaxOccurrences(*list).has_value()) << list->full_name();
  }
}

TEST(EgressLimitsTest, EveryRequestHasALimitAndNoOtherMessage) {
  for (int i = 0; i < Federation().method_count(); ++i) {
    const auto& method = *Federation().method(i);
    EXPECT_TRUE(MaxMessageBytes(*method.input_type()).has_value())
        << method.full_name();
    EXPECT_FALSE(MaxMessageBytes(*method.output_type()).has_value())
        << method.full_name();
  }
  EXPECT_FALSE(MaxMessageBytes(*v1::StudyOffer::descriptor()).has_value());
}

TEST(EgressLimitsTest, ListsThatMayBeLongestFitTheirMessage) {
  v1::NextTaskRequest poll;
  for (int i = 0; i < kMaxStudiesTold; ++i) {
    poll.add_approved_studies(std::string(32, 'a'));
    poll.add_known_studies(std::string(32, 'k'));
  }
  EXPECT_LE(poll.ByteSizeLong(), *MaxMessageBytes(*poll.GetDescriptor()));
  v1::UploadChunkRequest chunk;
  chunk.set_data(std::string(4 << 20, 'd'));
  chunk.mutable_header()->set_study_hash(std::string(32, 'h'));
  EXPECT_LE(chunk.ByteSizeLong(), *MaxMessageBytes(*chunk.GetDescriptor()));
}

TEST(EgressLimitsTest, AFieldThatIsNoListOrNotOfARequestHasNone) {
  const auto* version =
      v1::NextTaskRequest::descriptor()->FindFieldByName("software_version");
  ASSERT_NE(version, nullptr);
  EXPECT_FALSE(MaxOccurrences(*version).has_value());
  const auto* sites = v1::Study::descriptor()->FindFieldByName("sites");
  ASSERT_NE(sites, nullptr);
  EXPECT_FALSE(MaxOccurrences(*sites).has_value());
}

}  // namespace
}  // namespace hilum
