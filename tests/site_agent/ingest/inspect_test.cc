// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/inspect.h"

#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "gtest/gtest.h"
#include "tests/site_agent/imaging/dicom/dicom_maker.h"

namespace hilum {
namespace {

std::string Written(const std::string& name, const std::string& bytes) {
  const std::string path = absl::StrCat(testing::TempDir(), "/", name);
  EXPECT_TRUE(WriteFileAtomically(path, bytes, Durability::kNone).ok());
  return path;
}

struct Ran {
  int exit_code = -1;
  std::string out;
};

Ran RunIngest(const std::string& arguments) {
  const std::string command =
      absl::StrCat(HILUM_BIN_DIR, "/hilum-ingest ", arguments, " 2>/dev/null");
  Ran ran;
  FILE* pipe = popen(command.c_str(), "r");
  char buffer[4096];
  while (size_t got = fread(buffer, 1, sizeof buffer, pipe)) {
    ran.out.append(buffer, got);
  }
  const int status = pclose(pipe);
  if (WIFEXITED(status)) ran.exit_code = WEXITSTATUS(status);
  return ran;
}

TEST(InspectTest, ATakenFileHasEveryField) {
  const std::string path = Written("taken.dcm", SmallChest().File());
  const auto json = nlohmann::json::parse(InspectionJson(InspectFile(path)));
  EXPECT_EQ(json["file"], path);
  EXPECT_EQ(json["decoded"], true);
  EXPECT_EQ(json["accepted"], true);
  EXPECT_EQ(json["reason"], "");
  EXPECT_EQ(json["transfer_syntax"], "1.2.840.10008.1.2.1");
  EXPECT_EQ(json["rows"], 2);
  EXPECT_EQ(json["columns"], 3);
  EXPECT_EQ(json["view"], "AP");
  // printf '\0\0\1\0\2\0\350\3\377\7\377\17' | sha256sum
  EXPECT_EQ(json["stored_sha256"],
            "1780d5fbda3398d73a1040e99ad2bfb4ced6a189412796975a64c6920e352f0c");
}

TEST(InspectTest, ARefusedFileSaysWhyAndWhatIsKnown) {
  const std::string path = Written(
      "refused.dcm", SmallChest().Text(0x00180015, "CS", "KNEE").File());
  const auto json = nlohmann::json::parse(InspectionJson(InspectFile(path)));
  EXPECT_EQ(json["decoded"], true);
  EXPECT_EQ(json["accepted"], false);
  EXPECT_EQ(json["reason"], "the body part is not the chest");
  const std::string empty = Written("empty.dcm", "");
  const auto nothing =
      nlohmann::json::parse(InspectionJson(InspectFile(empty)));
  EXPECT_EQ(nothing["decoded"], false);
  EXPECT_EQ(nothing["reason"], "the file is empty");
  for (const char* field :
       {"transfer_syntax", "rows", "columns", "view", "stored_sha256"}) {
    EXPECT_TRUE(nothing[field].is_null()) << field;
  }
}

TEST(InspectTest, AnImageThatCannotBeShownRightIsNotAccepted) {
  const Inspection found = InspectFile(Written(
      "sideways.dcm", SmallChest().Text(0x00200020, "CS", "A\\F").File()));
  EXPECT_TRUE(found.decoded);
  EXPECT_FALSE(found.accepted);
  EXPECT_FALSE(found.reason.empty());
}

TEST(InspectTest, NothingOfThePatientsIsPrinted) {
  DicomMaker maker = SmallChest().Text(0x00100010, "PN", "Roe^Jane");
  maker.Text(0x00100020, "LO", "MRN-4711").Text(0x0008103e, "LO", "Roe lat");
  for (const std::string& bytes :
       {maker.File(), maker.Text(0x00280004, "CS", "Roe").File(),
        maker.Text(0x00281050, "DS", "Roe").File()}) {
    const std::string line =
        InspectionJson(InspectFile(Written("phi.dcm", bytes)));
    EXPECT_FALSE(absl::StrContains(line, "Roe")) << line;
    EXPECT_FALSE(absl::StrContains(line, "4711")) << line;
  }
}

TEST(InspectTest, TheCommandPrintsALineForEachFile) {
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

TEST(InspectTest, TheCommandsExitCodes) {
  EXPECT_EQ(RunIngest("--version").exit_code, 0);
  EXPECT_TRUE(absl::StrContains(RunIngest("inspect --help").out, "Example:"));
  EXPECT_EQ(RunIngest("inspect /nonexistent/x.dcm").exit_code, 1);
  EXPECT_EQ(RunIngest("inspect").exit_code, 2);
  EXPECT_EQ(RunIngest("look").exit_code, 2);
}

}  // namespace
}  // namespace hilum
