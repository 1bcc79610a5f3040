// SPDX-License-Identifier: Apache-2.0
#include "site_agent/sandbox/describe.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "common/base/file.h"
#include "site_agent/sandbox/dumpable.h"
#include "site_agent/sandbox/landlock.h"

namespace hilum {
namespace {

// Each line says what it is about; what is lost where it does not hold.
TEST(DescribeTest, TheDescriptionIsOfThisMachine) {
  const std::vector<Hold> holds = DescribeConfinement();
  ASSERT_EQ(holds.size(), 5u);
  EXPECT_TRUE(holds[0].holds) << holds[0].text;
  EXPECT_TRUE(holds[1].holds) << holds[1].text;
  EXPECT_EQ(holds[2].holds, LandlockVersion() > 0) << holds[2].text;
  EXPECT_EQ(MissingLandlock().empty(), LandlockVersion() > 0);
  // It tried in other processes.
  const ScopedFd still(socket(AF_UNIX, SOCK_STREAM, 0));
  EXPECT_GE(still.get(), 0);
  EXPECT_FALSE(MemoryIsHidden());
}

TEST(DescribeTest, EachLineSaysWhatItIsAboutInTheOrderOfTheHeader) {
  const std::vector<Hold> holds = DescribeConfinement();
  const char* const subjects[] = {
      "memory and keys: ", "system calls (seccomp): ", "files",
      "sockets handed over", "network namespaces: "};
  ASSERT_EQ(holds.size(), std::size(subjects));
  for (size_t i = 0; i < holds.size(); ++i) {
    EXPECT_TRUE(absl::StartsWith(holds[i].text, subjects[i])) << holds[i].text;
  }
}

// Whoever reads the log must learn what an attacker could do.
TEST(DescribeTest, WithoutLandlockTheLossIsNamed) {
  const std::string missing = MissingLandlock();
  if (LandlockVersion() > 0) {
    EXPECT_EQ(missing, "");
    GTEST_SKIP() << "this kernel has Landlock: nothing is missing";
  }
  EXPECT_TRUE(absl::StrContains(missing, "Landlock")) << missing;
  EXPECT_TRUE(absl::StrContains(missing, "ledger")) << missing;
}

}  // namespace
}  // namespace hilum
