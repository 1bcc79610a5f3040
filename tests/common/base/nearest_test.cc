// SPDX-License-Identifier: Apache-2.0
#include "common/base/nearest.h"

#include <gtest/gtest.h>

namespace hilum {
namespace {

TEST(NearestTest, DistanceCountsInsertionsDeletionsAndReplacements) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
  EXPECT_EQ(EditDistance("stauts", "status"), 2u);
  EXPECT_EQ(EditDistance("abc", ""), 3u);
}

TEST(NearestTest, OnlyWhatIsNearIsMeant) {
  const std::vector<std::string> known = {"run", "list", "export"};
  EXPECT_EQ(NearestName("exprot", known), "export");
  EXPECT_EQ(NearestName("lst", known), "list");
  EXPECT_EQ(NearestName("watch", known), "");
  EXPECT_EQ(NearestName("x", {"y", "ab"}), "");
}

}  // namespace
}  // namespace hilum
