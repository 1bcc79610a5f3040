// SPDX-License-Identifier: Apache-2.0
#include "common/cli/usage.h"

#include <gtest/gtest.h>

namespace hilum {
namespace {

TEST(UsageTest, OnlyWrongUsageIsWrongUsage) {
  EXPECT_TRUE(IsUsageError(UsageError("no")));
  EXPECT_EQ(UsageError("no").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(IsUsageError(absl::InvalidArgumentError("a file is wrong")));
  EXPECT_FALSE(IsUsageError(absl::OkStatus()));
}

TEST(UsageTest, AFailedCheckOfATypedValueIsWrongUsageWithTheSameWords) {
  const absl::Status usage = AsUsage(absl::NotFoundError("no such partition"));
  EXPECT_TRUE(IsUsageError(usage));
  EXPECT_EQ(usage.message(), "no such partition");
  EXPECT_TRUE(AsUsage(absl::OkStatus()).ok());
}

}  // namespace
}  // namespace hilum
