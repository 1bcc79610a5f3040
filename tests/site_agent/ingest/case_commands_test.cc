// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/site_agent/ingest/folder_fixture.h"
#include "tests/site_agent/ingest/run_ingest.h"

namespace hilum {
namespace {

class CaseCommandsTest : public FolderTest {
 protected:
  // A store of one labelled film and a file that is refused.
  void MakeStore() {
    Put("in/1.dcm", Film(3, "P1").File());
    Put("in/bad.dcm", "no image");
    options_.labels = Put("labels.csv", "PatientID,label\nP1,normal\n");
    ASSERT_TRUE(Ingest().ok());
  }
  std::string At() const {
    return absl::StrCat(" --store ", options_.store, " ");
  }
  int ExitOf(const std::string& arguments) {
    return RunIngest(arguments).exit_code;
  }
};

TEST_F(CaseCommandsTest, ExitCodesTellUsageFromFailure) {
  EXPECT_EQ(ExitOf("list" + At()), 1);  // no store yet
  MakeStore();
  const std::string id = Only();
  EXPECT_EQ(ExitOf("list --quarantined --csv" + At()), 0);
  EXPECT_EQ(ExitOf("list --csv" + At()), 2);
  EXPECT_EQ(ExitOf("list --quarantined --csv --json" + At()), 2);
  EXPECT_EQ(ExitOf("show" + At() + id), 0);
  EXPECT_EQ(ExitOf("show" + At() + "0000000000000000"), 1);
  EXPECT_EQ(ExitOf("release" + At() + id), 1);  // it is not in quarantine
  EXPECT_EQ(ExitOf("release --turn 45" + At() + id), 2);
  EXPECT_EQ(ExitOf("quarantine" + At() + id), 2);
  EXPECT_EQ(ExitOf("quarantine --reason ''" + At() + id), 2);
  for (const char* command : {"list", "show", "quarantine", "release"}) {
    EXPECT_EQ(ExitOf(absl::StrCat(command, " --help")), 0) << command;
  }
}

TEST_F(CaseCommandsTest, WhatIsInQuarantineIsNotInTheManifestUntilReleased) {
  MakeStore();
  const std::string id = Only();
  EXPECT_EQ(ExitOf("quarantine --reason drain" + At() + id), 0);
  EXPECT_TRUE(Cases().empty());
  EXPECT_EQ(Reasons()["1.dcm"], "drain");
  const Ran released = RunIngest("release" + At() + id);
  EXPECT_EQ(released.exit_code, 0);
  EXPECT_EQ(released.out, id + " is ready\n");
  EXPECT_EQ(Only(), id);
  // Who did what is in its history.
  const std::string shown = RunIngest("show" + At() + id).out;
  EXPECT_TRUE(absl::StrContains(shown, "folder: new -> ready")) << shown;
  EXPECT_TRUE(absl::StrContains(shown, "ready -> quarantined: drain")) << shown;
  EXPECT_TRUE(absl::StrContains(shown, "quarantined -> ready")) << shown;
}

TEST_F(CaseCommandsTest, ListShowsCasesAndOnRequestWhatIsNone) {
  MakeStore();
  const std::string id = Only();
  const std::string all = RunIngest("list --json" + At()).out;
  EXPECT_TRUE(absl::StartsWith(
      all, absl::StrCat("{\"case\":\"", id, "\",\"state\":\"ready\"")))
      << all;
  EXPECT_FALSE(absl::StrContains(all, "bad.dcm"));
  const std::string rest = RunIngest("list --quarantined" + At()).out;
  EXPECT_FALSE(absl::StrContains(rest, id));
  EXPECT_TRUE(absl::StrContains(rest, "bad.dcm: ")) << rest;
  EXPECT_EQ(RunIngest("list --quarantined --csv" + At()).out,
            Stored("quarantine.csv"));
}

// A folder that is no store is not made one by a look at it.
TEST_F(CaseCommandsTest, WithoutAStoreTheWayToOneIsNamedAndNothingMade) {
  for (const char* command :
       {"list", "show 0", "release 0", "quarantine 0 --reason x"}) {
    const Ran ran = RunIngest(command + At(), true);
    EXPECT_EQ(ran.exit_code, 1) << command;
    EXPECT_TRUE(absl::StrContains(ran.out, "hilum-ingest folder DIR --store"))
        << ran.out;
  }
  EXPECT_FALSE(fs::exists(options_.store));
}

}  // namespace
}  // namespace hilum
