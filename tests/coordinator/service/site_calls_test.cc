// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/site_calls.h"

#include <gtest/gtest.h>

#include <optional>

namespace hilum {
namespace {

TEST(SiteCallsTest, OneMoreThanASiteMayHaveTriesAgain) {
  SiteCalls calls(2);
  auto first = calls.Begin(SiteId("a"));
  auto second = calls.Begin(SiteId("a"));
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_TRUE(absl::IsUnavailable(calls.Begin(SiteId("a")).status()));
  EXPECT_TRUE(calls.Begin(SiteId("b")).ok());
}

TEST(SiteCallsTest, ACallThatIsOverMakesRoom) {
  SiteCalls calls(1);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(calls.Begin(SiteId("a")).ok()) << i;
  }
  auto held = calls.Begin(SiteId("a"));
  std::optional<SiteCalls::Ticket> moved(*std::move(held));
  EXPECT_FALSE(calls.Begin(SiteId("a")).ok());
  moved.reset();
  EXPECT_TRUE(calls.Begin(SiteId("a")).ok());
}

}  // namespace
}  // namespace hilum
