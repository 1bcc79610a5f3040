// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/orientation/score_orientation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <vector>

namespace hilum {
namespace {

using testing::HasSubstr;

// Two of 100 upright images stopped: Wilson's interval is 0.55 to 7.00 %.
TEST(ScoreOrientationTest, SharesHaveTheirInterval) {
  std::vector<ShownImage> images(100);
  images[3].turns[0].turned = images[7].turns[0].turned = 99;
  std::ostringstream out;
  PrintShownImages(images, {"any"}, out);
  EXPECT_THAT(out.str(), HasSubstr("2 (2.00 %, 0.55 to 7.00)"));
  EXPECT_THAT(out.str(), HasSubstr("turned: 99.00 99.00 0.00"));
}

}  // namespace
}  // namespace hilum
