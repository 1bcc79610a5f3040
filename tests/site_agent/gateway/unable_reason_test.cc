// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/unable_reason.h"

#include <gtest/gtest.h>

namespace hilum {
namespace {

TEST(UnableReasonTest, ReasonGoesWithTheStatusAndChangesNothingElse) {
  const absl::Status plain = absl::InvalidArgumentError("row 3");
  EXPECT_EQ(ReasonOf(plain), v1::UNABLE_REASON_UNSPECIFIED);
  const absl::Status noted = WithReason(plain, v1::UNABLE_REASON_CASES);
  EXPECT_EQ(ReasonOf(noted), v1::UNABLE_REASON_CASES);
  EXPECT_EQ(noted.code(), plain.code());
  EXPECT_EQ(noted.message(), plain.message());
  EXPECT_TRUE(WithReason(absl::OkStatus(), v1::UNABLE_REASON_CASES).ok());
}

TEST(UnableReasonTest, WhatThePeopleCanMendIsToldFromTheMachine) {
  EXPECT_EQ(ReasonOfTrainer(absl::InvalidArgumentError("unknown label")),
            v1::UNABLE_REASON_MANIFEST);
  EXPECT_EQ(ReasonOfTrainer(absl::NotFoundError("no manifest")),
            v1::UNABLE_REASON_MANIFEST);
  EXPECT_EQ(ReasonOfTrainer(absl::InternalError("the trainer died")),
            v1::UNABLE_REASON_MACHINE);
}

}  // namespace
}  // namespace hilum
