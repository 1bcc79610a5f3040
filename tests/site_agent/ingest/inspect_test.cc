// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/inspect.h"

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

}  // namespace
}  // namespace hilum
