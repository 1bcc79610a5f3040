// SPDX-License-Identifier: Apache-2.0
// Runs the whole program: its exit codes, the shared files, and kills at any
// moment.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/csv.h"
#include "common/base/file.h"
#include "gtest/gtest.h"
#include "site_agent/ingest/intake.h"
#include "tests/site_agent/ingest/folder_fixture.h"

namespace hilum {
namespace {

int ExitOf(const std::string& arguments) {
  const int status =
      std::system(absl::StrCat(HILUM_BIN_DIR, "/hilum-ingest ", arguments,
                               " >/dev/null 2>&1 </dev/null")
                      .c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(FolderTest, TheCommandsExitCodes) {
  Put("in/1.dcm", Film(3, "P1").File());
  Put("in/bad.dcm", "no image");
  const std::string at = absl::StrCat(" --store ", options_.store, " ");
  EXPECT_EQ(ExitOf(absl::StrCat("folder ", options_.folder, at)), 0);
  EXPECT_EQ(ExitOf(absl::StrCat("folder ", root_, "/nowhere", at)), 1);
  EXPECT_EQ(ExitOf("folder"), 2);
  EXPECT_EQ(ExitOf("folder --help"), 0);
}

TEST_F(FolderTest, SharedFilesAreTakenOrRefusedAsTheirManifestSays) {
  const std::string shared = HILUM_SOURCE_DIR "/../shared/dicom";
  auto text = ReadFile(absl::StrCat(shared, "/manifest.csv"));
  if (!text.ok()) GTEST_SKIP() << "no shared files in " << shared;
  auto rows = ParseCsv(*text);
  ASSERT_TRUE(rows.ok());
  options_.folder = shared;
  ASSERT_TRUE(Ingest().ok());
  auto intake =
      Intake::Open({.store = options_.store}, RealClock(), RealSecureRng());
  ASSERT_TRUE(intake.ok());
  std::map<std::string, size_t> column;
  for (size_t i = 0; i < rows->front().size(); ++i) {
    column[rows->front()[i]] = i;
  }
  for (size_t i = 1; i < rows->size(); ++i) {
    const auto& row = (*rows)[i];
    const std::string path =
        absl::StrCat(fs::canonical(shared).string(), "/", row[column["file"]]);
    auto source = (*intake)->FindSource(path);
    ASSERT_TRUE(source.ok() && source->has_value()) << path;
    EXPECT_EQ((*source)->case_id.empty(),
              row[column["expected"]] != "decodable" ||
                  row[column["is_chest_xray"]] != "yes")
        << path << ": " << (*source)->reason;
    EXPECT_EQ((*source)->case_id.empty(), !(*source)->reason.empty()) << path;
  }
}

// Runs the program and kills it after a number of microseconds, again and
// again, until it finishes.
int KillAndRunAgain(const std::vector<std::string>& arguments, int first_us) {
  int kills = 0;
  for (int wait = first_us;; wait += wait / 4 + 300) {
    const pid_t child = fork();
    if (child == 0) {
      std::vector<char*> argv;
      for (const std::string& argument : arguments) {
        argv.push_back(const_cast<char*>(argument.c_str()));
      }
      argv.push_back(nullptr);
      if (freopen("/dev/null", "w", stdout) == nullptr) _exit(1);
      execv(argv[0], argv.data());
      _exit(1);
    }
    usleep(wait);
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFEXITED(status)) {
      EXPECT_EQ(WEXITSTATUS(status), 0);
      return kills;
    }
    ++kills;
  }
}

TEST_F(FolderTest, KilledAndRunAgainTheStoreIsTheSame) {
  std::string labels = "PatientID,label\n";
  for (int i = 0; i < 100; ++i) {
    Put(absl::StrCat("in/", i, ".dcm"),
        Film(2 * i + 1, absl::StrCat("P", i / 2)).File());
    if (i % 2 == 0) absl::StrAppend(&labels, "P", i / 2, ",normal\n");
  }
  options_.labels = Put("labels.csv", labels);
  ASSERT_TRUE(Ingest().ok());
  const std::string cases = Stored("cases.csv");
  const std::string shard = Stored("shards/0001.shard");
  const std::string key = absl::StrCat(options_.store, "/patient.key");
  const std::string other = absl::StrCat(root_, "/other");
  const int kills = KillAndRunAgain(
      {HILUM_BIN_DIR "/hilum-ingest", "folder", options_.folder, "--store",
       other, "--labels", options_.labels, "--key", key, "--threads", "3"},
      500);
  EXPECT_GT(kills, 3);
  options_.store = other;
  EXPECT_EQ(Cases().size(), 100u);
  EXPECT_EQ(Stored("cases.csv"), cases);
  EXPECT_EQ(Stored("shards/0001.shard"), shard);
}

}  // namespace
}  // namespace hilum
