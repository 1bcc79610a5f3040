// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "site_agent/imaging/pictures/write_png.h"
#include "tests/site_agent/ingest/folder_fixture.h"
#include "tests/site_agent/ingest/run_ingest.h"

namespace hilum {
namespace {

// A store of one labelled film, 40 x 30, and a folder with a mask of it.
class MasksCommandTest : public FolderTest {
 protected:
  MasksCommandTest() {
    Put("in/1.dcm", Film(3, "P1").File());
    options_.labels = Put("labels.csv", "PatientID,label\nP1,covid\n");
    EXPECT_TRUE(Ingest().ok());
    PutMask(4);
  }
  void PutMask(int first) {
    std::vector<uint8_t> pixels;
    for (int i = 0; i < 40 * 30; ++i) {
      const int column = i % 30;
      const bool inside = column >= first && column < 28 && column != 15;
      pixels.push_back(inside && i > 90 && i < 1000 ? 255 : 0);
    }
    Put("masks/1.2.3.3.png", EncodePng8(40, 30, pixels).value());
  }
  Ran Masks(const std::string& arguments = "") {
    return RunIngest(absl::StrCat("masks ", root_, "/masks --store ",
                                  options_.store, " ", arguments),
                     true);
  }
};

TEST_F(MasksCommandTest, AMaskIsGivenToItsCaseByAConfinedProcess) {
  EXPECT_EQ(Cases()[0][3], "");
  const Ran ran = Masks();
  EXPECT_EQ(ran.exit_code, 0) << ran.out;
  EXPECT_TRUE(absl::StrContains(ran.out, "1 taken in")) << ran.out;
  EXPECT_EQ(Cases()[0][3], Cases()[0][0]);
}

TEST_F(MasksCommandTest, AnotherMaskIsTakenWithReplaceOnly) {
  ASSERT_EQ(Masks().exit_code, 0);
  PutMask(8);
  const Ran kept = Masks();
  EXPECT_TRUE(absl::StrContains(kept.out, "0 taken in")) << kept.out;
  const Ran replaced = Masks("--replace");
  EXPECT_TRUE(absl::StrContains(replaced.out, "1 taken in")) << replaced.out;
}

TEST_F(MasksCommandTest, ExitCodesTellUsageFromFailure) {
  EXPECT_EQ(RunIngest("masks --help").exit_code, 0);
  EXPECT_EQ(RunIngest("masks").exit_code, 2);
  EXPECT_EQ(RunIngest(absl::StrCat("masks ", root_, "/masks")).exit_code, 2);
  fs::remove_all(root_ + "/masks");
  EXPECT_EQ(Masks().exit_code, 1);
}

}  // namespace
}  // namespace hilum
