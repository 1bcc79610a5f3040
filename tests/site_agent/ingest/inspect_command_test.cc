// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "tests/site_agent/imaging/dicom/dicom_maker.h"
#include "tests/site_agent/ingest/run_ingest.h"

namespace hilum {
namespace {

std::string Written(const std::string& name, const std::string& bytes) {
  const std::string path = absl::StrCat(testing::TempDir(), "/", name);
  EXPECT_TRUE(WriteFileAtomically(path, bytes, Durability::kNone).ok());
  return path;
}

TEST(InspectCommandTest, ALineForEachFileIsPrinted) {
  const std::string taken = Written("a.dcm", SmallChest().File());
  const std::string refused = Written("b\xff.dcm", "no DICOM");
  const Ran json =
      RunIngest(absl::StrCat("inspect --json ", taken, " ", refused));
  EXPECT_EQ(json.exit_code, 0);
  EXPECT_EQ(std::count(json.out.begin(), json.out.end(), '\n'), 2);
  const Ran table = RunIngest(absl::StrCat("inspect ", taken, " ", refused));
  EXPECT_EQ(table.exit_code, 0);
  EXPECT_TRUE(absl::StrContains(table.out, "accepted  3 x 2")) << table.out;
  EXPECT_TRUE(absl::StrContains(table.out, "not a DICOM file")) << table.out;
}

TEST(InspectCommandTest, ExitCodesTellUsageFromFailure) {
  EXPECT_EQ(RunIngest("--version").exit_code, 0);
  EXPECT_TRUE(absl::StrContains(RunIngest("inspect --help").out, "Example:"));
  EXPECT_EQ(RunIngest("inspect /nonexistent/x.dcm").exit_code, 1);
  EXPECT_EQ(RunIngest("inspect").exit_code, 2);
  EXPECT_EQ(RunIngest("look").exit_code, 2);
}

TEST(InspectCommandTest, AFileThatCannotBeReadFailsAfterTheOthersLines) {
  const std::string taken = Written("c.dcm", SmallChest().File());
  const Ran ran =
      RunIngest(absl::StrCat("inspect /nonexistent/x.dcm ", taken), true);
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(ran.out, "accepted  3 x 2")) << ran.out;
  EXPECT_TRUE(absl::StrContains(ran.out, "1 of 2 files could not be read"))
      << ran.out;
}

}  // namespace
}  // namespace hilum
