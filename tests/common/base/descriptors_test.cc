// SPDX-License-Identifier: Apache-2.0
#include "common/base/descriptors.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <string>

#include "absl/strings/match.h"
#include "common/base/file.h"

namespace hilum {
namespace {

// Sets the soft limit for one test.
class DescriptorsTest : public testing::Test {
 protected:
  DescriptorsTest() { EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0); }
  ~DescriptorsTest() override { setrlimit(RLIMIT_NOFILE, &before_); }
  void SetSoft(rlim_t soft) {
    rlimit limit = before_;
    limit.rlim_cur = soft;
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  }

  rlimit before_ = {};
};

TEST_F(DescriptorsTest, TheSoftLimitIsRaisedToTheHardOne) {
  SetSoft(64);
  EXPECT_EQ(DescriptorLimit(), 64u);
  const size_t raised = RaiseDescriptorLimit();
  EXPECT_EQ(raised, DescriptorLimit());
  EXPECT_EQ(raised, std::min<rlim_t>(before_.rlim_max, 1 << 20));
}

TEST_F(DescriptorsTest, TooFewAreNamedWithBothNumbers) {
  SetSoft(64);
  EXPECT_TRUE(CheckDescriptors(64, "x").ok());
  const absl::Status few = CheckDescriptors(370, "60 simulated sites");
  EXPECT_TRUE(absl::IsResourceExhausted(few));
  for (const char* part :
       {"60 simulated sites", "370", "may have 64", "ulimit -n 370"}) {
    EXPECT_TRUE(absl::StrContains(few.message(), part)) << few;
  }
}

// "Too many open files" alone does not say how many are allowed.
TEST_F(DescriptorsTest, AFileThatCannotBeOpenedForThemNamesTheLimit) {
  const std::string path = testing::TempDir() + "/descriptors_test";
  ASSERT_TRUE(WriteFileAtomically(path, "x", Durability::kNone).ok());
  const ScopedFd next(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_GE(next.get(), 0);
  SetSoft(static_cast<rlim_t>(next.get()));
  const absl::Status status = ReadFile(path).status();
  EXPECT_TRUE(absl::StrContains(status.message(), "may have")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "ulimit -n")) << status;
}

}  // namespace
}  // namespace hilum
