// SPDX-License-Identifier: Apache-2.0
#include "common/base/ordered_pipeline.h"

#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <numeric>

#include "gtest/gtest.h"

namespace hilum {
namespace {

TEST(OrderedPipelineTest, ItemsAreConsumedOnceAndInOrder) {
  for (int threads : {1, 2, 5}) {
    for (int64_t count : {0, 1, 2, 100}) {
      std::vector<int64_t> seen;
      absl::Status status = RunOrdered<int64_t>(
          count, threads,
          [](int64_t i, int64_t& item) {
            item = i * i;
            return absl::OkStatus();
          },
          [&](int64_t i, int64_t& item) {
            EXPECT_EQ(item, i * i);
            seen.push_back(i);
            return absl::OkStatus();
          });
      EXPECT_TRUE(status.ok());
      std::vector<int64_t> all(static_cast<size_t>(count));
      std::iota(all.begin(), all.end(), 0);
      EXPECT_EQ(seen, all);
    }
  }
}

TEST(OrderedPipelineTest, MakersStayCloseToTheConsumer) {
  std::atomic<int64_t> consumed{0};
  std::atomic<int64_t> furthest{0};
  ASSERT_TRUE(RunOrdered<int>(
                  200, 3,
                  [&](int64_t i, int&) {
                    int64_t lead = i - consumed;
                    for (int64_t old = furthest;
                         lead > old &&
                         !furthest.compare_exchange_weak(old, lead);) {
                    }
                    return absl::OkStatus();
                  },
                  [&](int64_t i, int&) {
                    consumed = i + 1;
                    return absl::OkStatus();
                  })
                  .ok());
  EXPECT_LE(furthest, 4);
}

TEST(OrderedPipelineTest, FirstErrorInOrderEndsItAfterWhatCameBefore) {
  int64_t consumed = 0;
  absl::Status status = RunOrdered<int>(
      1000, 4,
      [](int64_t i, int&) -> absl::Status {
        if (i == 8) return absl::DataLossError("eight");
        if (i == 7) return absl::NotFoundError("seven");
        return absl::OkStatus();
      },
      [&](int64_t, int&) {
        ++consumed;
        return absl::OkStatus();
      });
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(consumed, 7);
}

TEST(OrderedPipelineTest, ConsumersErrorEndsIt) {
  std::atomic<int64_t> made{0};
  absl::Status status = RunOrdered<int>(
      1000, 2,
      [&](int64_t, int&) {
        ++made;
        return absl::OkStatus();
      },
      [](int64_t i, int&) -> absl::Status {
        return i == 3 ? absl::ResourceExhaustedError("full") : absl::OkStatus();
      });
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_LE(made, 3 + 1 + 3);
}

// Prevents new threads by denying memory for their stacks, and returns the sum
// from a pipeline over ten items.
int SumWithoutThreads() {
  std::ifstream statm("/proc/self/statm");
  rlim_t pages = 0;
  statm >> pages;
  const rlim_t bytes = pages * static_cast<rlim_t>(getpagesize()) + (2 << 20);
  const rlimit limit = {bytes, bytes};
  if (setrlimit(RLIMIT_AS, &limit) != 0) return -1;
  int sum = 0;
  const absl::Status status = RunOrdered<int>(
      10, 64,
      [](int64_t i, int& item) {
        item = static_cast<int>(i);
        return absl::OkStatus();
      },
      [&](int64_t i, int& item) {
        if (item == i) sum += item;
        return absl::OkStatus();
      });
  return status.ok() ? sum : -1;
}

TEST(OrderedPipelineDeathTest, WithoutThreadsTheCallerDoesItAll) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(std::_Exit(SumWithoutThreads()), testing::ExitedWithCode(45), "");
}

}  // namespace
}  // namespace hilum
