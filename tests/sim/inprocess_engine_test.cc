// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "sim/engine.h"

namespace hilum {
namespace {

// Sites lost their files one by one, and a sum "was lost in step Unmask".
TEST(InProcessEngineTest, MoreSitesThanOpenFilesAreRefusedByNumber) {
  const std::string out =
      absl::StrCat(testing::TempDir(), "/inprocess_", getpid());
  ASSERT_TRUE(MakeDirectories(out).ok());
  const pid_t child = fork();
  if (child == 0) {  // the hard limit goes down for good
    const rlimit few = {200, 200};
    setrlimit(RLIMIT_NOFILE, &few);
    RunPlan plan{.out = out, .sites = std::vector<SimulatedSite>(60)};
    const absl::Status status = RunInProcess(
        plan,
        [](const SiteId&) -> absl::StatusOr<std::unique_ptr<Trainer>> {
          return absl::InternalError("a trainer was made");
        },
        [](int) {});
    _exit(
        WriteFileAtomically(out + "/said", status.ToString(), Durability::kNone)
                .ok()
            ? 0
            : 1);
  }
  int exit_status = 0;
  waitpid(child, &exit_status, 0);
  const std::string said = ReadFile(out + "/said").value_or("");
  for (const char* part : {"RESOURCE_EXHAUSTED", "60 simulated sites", "424",
                           "may have 200", "ulimit -n 424"}) {
    EXPECT_TRUE(absl::StrContains(said, part)) << said;
  }
  EXPECT_FALSE(FileExists(out + "/coordinator"));
}

}  // namespace
}  // namespace hilum
