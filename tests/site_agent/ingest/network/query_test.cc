// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/network/query.h"

#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "gtest/gtest.h"
#include "tests/site_agent/ingest/network/dicom_fakes.h"

namespace hilum {
namespace {

namespace fs = std::filesystem;

// Study, date, patient, accession, series, modality, instance. None is a film,
// so the store refuses all, but then knows them.
std::vector<PacsImage> Archive() {
  return {{"1.1", "20200301", "P1", "A1", "1.1.1", "CR", "1.1.1.1"},
          {"1.2", "20200302", "P2", "A2", "1.2.1", "DX", "1.2.1.1"},
          {"1.3", "", "P3", "A3", "1.3.1", "CR", "1.3.1.1"}};
}

class QueryTest : public testing::Test {
 protected:
  QueryTest()
      : folder_(absl::StrCat(
            testing::TempDir(), "/query_", getpid(), "_",
            testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    options_.receiving = {.store = folder_ + "/store", .actor = "query"};
    options_.selection.from = "2020-02-28";
    options_.selection.to = "2020-03-02";
  }
  ~QueryTest() override { fs::remove_all(folder_); }

  // Runs in a process of its own, as Query requires; returns its output.
  std::string Run(const FakePacs& pacs) {
    options_.peer = absl::StrCat("PACS@127.0.0.1:", pacs.port());
    const pid_t pid = fork();
    if (pid == 0) {
      std::ofstream out(folder_ + "/out");
      const absl::Status status = Query(options_, out);
      out << "status " << status << std::endl;
      _exit(0);
    }
    waitpid(pid, nullptr, 0);
    return ReadFile(folder_ + "/out").value_or("");
  }
  static void ExpectSaid(const std::string& said,
                         const std::vector<std::string>& parts) {
    for (const std::string& part : parts) {
      EXPECT_TRUE(absl::StrContains(said, part)) << part << " in: " << said;
    }
  }
  static int FreePort() {
    int port = 0;
    ListenOnLoopback(port).Close();
    return port;
  }

  const std::string folder_;
  QueryOptions options_;
};

// Such studies must not be left out silently.
TEST_F(QueryTest, StudiesWithoutADateAreCountedOrFetched) {
  const FakePacs pacs({.images = Archive()});
  ExpectSaid(Run(pacs), {"2020-03-01: 1 images, 0 known already, 1 fetched",
                         "without a date: 1 images of 1 studies, not fetched",
                         "--undated fetch", "in all: 2 images", "status OK"});
  options_.undated = Undated::kFetch;
  ExpectSaid(Run(pacs), {"without a date: 1 images, 0 known already, 1 fetched",
                         "in all: 3 images, 2 known already", "status OK"});
  options_.undated = Undated::kIgnore;
  EXPECT_FALSE(absl::StrContains(Run(pacs), "without a date"));
}

TEST_F(QueryTest, FetchesByAccessionAndByList) {
  const FakePacs pacs({.images = Archive()});
  options_.selection = {.accessions = {"A2", "A9"}};
  ExpectSaid(Run(pacs), {"--accession 1: 1 images, 0 known already, 1 fetched",
                         "--accession 2: 0 images", "in all: 1 images"});
  const std::string list = folder_ + "/list.csv";
  ASSERT_TRUE(
      WriteFileAtomically(list, "PatientID\nP2\nP3\n\n", Durability::kNone)
          .ok());
  options_.selection = {.list = list};
  const std::string said = Run(pacs);
  ExpectSaid(said, {"list.csv:2: 1 images, 1 known already",
                    "list.csv:3: 1 images, 0 known already, 1 fetched"});
  EXPECT_FALSE(absl::StrContains(said, "P2")) << said;
}

TEST_F(QueryTest, APacsThatSendsUnderAnotherTitleNeedsAllow) {
  options_.move = true;
  options_.port = FreePort();
  const FakePacs pacs({.images = Archive(),
                       .move_title = "STORENODE",
                       .move_port = options_.port});
  ExpectSaid(Run(pacs),
             {"waiting as HILUM on 127.0.0.1:", "--bind",
              "rejected: no --allow names it", "--allow STORENODE@127.0.0.1",
              "2 images could not be fetched", "C-MOVE: status A702H"});
  options_.allow = {"STORENODE"};
  ExpectSaid(Run(pacs), {"2 fetched, 0 failed", "status OK"});
}

TEST_F(QueryTest, AMoveThatBringsNothingSaysWhatToLookFor) {
  options_.move = true;
  options_.port = FreePort();
  const FakePacs pacs({.images = Archive(), .sends = false});
  ExpectSaid(Run(pacs), {"the peer says done, but nothing came", "--allow",
                         "--bind", "ABORTED"});
}

TEST_F(QueryTest, WhatIsWrongIsSaidBeforeAnythingIsMade) {
  const FakePacs pacs({});
  options_.move = true;
  ExpectSaid(Run(pacs), {"INVALID_ARGUMENT", "--port"});
  options_.port = FreePort();
  options_.allow = {"A\\B"};
  ExpectSaid(Run(pacs), {"INVALID_ARGUMENT", "AE title"});
  options_.allow.clear();
  options_.selection = {};
  ExpectSaid(Run(pacs), {"INVALID_ARGUMENT", "--list"});
  EXPECT_FALSE(fs::exists(folder_ + "/store"));
}

}  // namespace
}  // namespace hilum
