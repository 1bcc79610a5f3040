// SPDX-License-Identifier: Apache-2.0
#include "common/cli/log_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hilum {
namespace {

TEST(LogStreamTest, EachLineIsALineOfTheLogWithItsLevel) {
  testing::internal::CaptureStderr();
  LogStream log;
  log << "listening on port " << 11112 << std::endl
      << "warning: no association\nnot at its end";
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::MatchesRegex(
                  "....-..-..T..:..:..Z info    listening on port 11112\n"
                  "....-..-..T..:..:..Z warning no association\n"));
}

}  // namespace
}  // namespace hilum
