// SPDX-License-Identifier: Apache-2.0
#include "sim/for_each.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

TEST(ForEachTest, EachNumberComesOnceWhateverTheThreads) {
  for (int threads : {1, 3, 50}) {
    std::vector<std::atomic<int>> calls(20);
    EXPECT_TRUE(ForEach(calls.size(), threads, [&](size_t i) {
                  ++calls[i];
                  return absl::OkStatus();
                }).ok());
    for (std::atomic<int>& count : calls) EXPECT_EQ(count, 1);
  }
  EXPECT_TRUE(ForEach(0, 4, [](size_t) {
                return absl::InternalError("never called");
              }).ok());
}

TEST(ForEachTest, AnErrorEndsItAndIsReturned) {
  int calls = 0;
  const absl::Status status = ForEach(9, 1, [&](size_t i) -> absl::Status {
    ++calls;
    if (i < 3) return absl::OkStatus();
    return absl::AbortedError(absl::StrCat("number ", i));
  });
  EXPECT_EQ(status, absl::AbortedError("number 3"));
  EXPECT_EQ(calls, 4);
}

}  // namespace
}  // namespace hilum
