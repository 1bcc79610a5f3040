// SPDX-License-Identifier: Apache-2.0
#include "common/rpc/status.h"

#include "common/base/cause.h"
#include "gtest/gtest.h"

namespace hilum {
namespace {

TEST(StatusTest, CodeMessageAndCauseGoThroughAndBack) {
  EXPECT_TRUE(FromGrpc(ToGrpc(absl::OkStatus())).ok());
  for (Cause cause : {Cause::kUnknown, Cause::kDiskFull, Cause::kTooLarge,
                      Cause::kOutOfMemory}) {
    const absl::Status status =
        WithCause(absl::ResourceExhaustedError("why"), cause);
    const absl::Status back = FromGrpc(ToGrpc(status));
    EXPECT_EQ(back, status);
    EXPECT_EQ(CauseOf(back), cause);
  }
}

// Details from a peer may hold any bytes.
TEST(StatusTest, OtherDetailsAreNoCause) {
  for (const char* details : {"", "x", "hilum-cause=", "hilum-cause=99",
                              "hilum-cause=-1", "hilum-cause=1x"}) {
    const absl::Status back = FromGrpc(
        grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "why", details));
    EXPECT_EQ(CauseOf(back), Cause::kUnknown) << details;
    EXPECT_EQ(back.message(), "why");
  }
}

}  // namespace
}  // namespace hilum
