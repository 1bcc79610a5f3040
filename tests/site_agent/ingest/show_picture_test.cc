// SPDX-License-Identifier: Apache-2.0
// Tests pictures of films in quarantine.
#include "site_agent/ingest/show_picture.h"

#include <cstdlib>

#include "gmock/gmock.h"
#include "site_agent/imaging/decode/decode.h"
#include "tests/site_agent/ingest/folder_fixture.h"

namespace hilum {
namespace {

using testing::HasSubstr;

using ShowPictureTest = FolderTest;

DicomMaker InBed() {
  return Film(1, "A")
      .Remove(0x00185101)
      .Text(0x0008103e, "LO", "Intensivaufnahme");
}

TEST_F(ShowPictureTest, PicturesOfCasesAndOfRefusedFiles) {
  Put("in/case.dcm", Film(2, "A").File());
  const std::string refused = Put("in/bed.dcm", InBed().File());
  ASSERT_TRUE(Ingest().ok());
  const std::string picture = absl::StrCat(root_, "/picture.png");
  ASSERT_TRUE(WriteFilePicture(refused, picture).ok());
  auto image = DecodeImage(ReadFile(picture).value());
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(image->rows, 40);
  EXPECT_EQ(image->columns, 30);
  EXPECT_TRUE(CheckShowsSomething(*image).ok());
  EXPECT_EQ(fs::status(picture).permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(WriteFilePicture(refused, absl::StrCat(root_, "/p.jpg")).code(),
            absl::StatusCode::kInvalidArgument);
}

// Runs the command itself, which decodes confined.
TEST_F(ShowPictureTest, TheCommandShowsWhatIsInQuarantine) {
  Put("in/bed.dcm", InBed().File());
  ASSERT_TRUE(Ingest().ok());
  auto records = ParseCsv(Stored("quarantine.csv"));
  ASSERT_TRUE(records.ok());
  const std::string id = records->at(1).at(0);
  const std::string picture = absl::StrCat(root_, "/shown.png");
  const std::string command =
      absl::StrCat(HILUM_BIN_DIR, "/hilum-ingest show --store ", options_.store,
                   " ", id, " --picture ", picture, " >/dev/null");
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_TRUE(DecodeImage(ReadFile(picture).value_or("")).ok());
}

}  // namespace
}  // namespace hilum
