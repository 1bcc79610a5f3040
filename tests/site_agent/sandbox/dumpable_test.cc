// SPDX-License-Identifier: Apache-2.0
#include "site_agent/sandbox/dumpable.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/site_agent/sandbox/attempts.h"

namespace hilum {
namespace {

TEST(DumpableTest, AHiddenProcessHasNoCoreFileAndIsNotDumpable) {
  EXPECT_EQ(
      InUsersChild([]() -> Outcomes {
        const bool before = MemoryIsHidden();
        if (!HideMemory().ok()) return {};
        rlimit core = {1, 1};
        getrlimit(RLIMIT_CORE, &core);
        return {{"before", before},
                {"hidden", MemoryIsHidden()},
                {"dumpable", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0)},
                {"core", static_cast<int>(core.rlim_max)}};
      }),
      (Outcomes{{"before", 0}, {"hidden", 1}, {"dumpable", 0}, {"core", 0}}));
}

TEST(DumpableTest, AForkedChildIsHiddenToo) {
  EXPECT_EQ(InUsersChild([]() -> Outcomes {
              if (!HideMemory().ok()) return {};
              const pid_t child = fork();
              if (child == 0) _exit(MemoryIsHidden() ? 0 : 1);
              int status = -1;
              waitpid(child, &status, 0);
              return {{"child", status}};
            }),
            (Outcomes{{"child", 0}}));
}

// Either half alone lets memory out.
TEST(DumpableTest, HalfOfItIsNotCalledHidden) {
  rlimit most = {};
  getrlimit(RLIMIT_CORE, &most);
  if (most.rlim_max == 0) GTEST_SKIP() << "nobody here may have a core file";
  EXPECT_EQ(InUsersChild([]() -> Outcomes {
              prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
              const rlimit core = {0, 4096};
              setrlimit(RLIMIT_CORE, &core);
              return {{"with a core file", MemoryIsHidden()}};
            }),
            (Outcomes{{"with a core file", 0}}));
  EXPECT_EQ(InUsersChild([]() -> Outcomes {
              const rlimit core = {0, 0};
              setrlimit(RLIMIT_CORE, &core);
              return {{"dumpable", MemoryIsHidden()}};
            }),
            (Outcomes{{"dumpable", 0}}));
}

}  // namespace
}  // namespace hilum
