// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/orientation/train_orientation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "site_agent/imaging/pictures/write_png.h"
#include "site_agent/trainer/orientation/score_orientation.h"

namespace hilum {
namespace {

using testing::HasSubstr;

class TrainOrientationTest : public testing::Test {
 protected:
  TrainOrientationTest()
      : folder_(absl::StrCat(testing::TempDir(), "/orientation_", getpid())) {
    std::filesystem::remove_all(folder_);
    EXPECT_TRUE(MakeDirectories(folder_).ok());
    std::string csv = "file,label,patient_id\n";
    for (int n = 0; n < 40; ++n) {
      std::vector<uint8_t> pixels;
      for (int i = 0; i < 60 * 50; ++i) {
        const int row = i / 50, column = i % 50;
        pixels.push_back(
            static_cast<uint8_t>(row * 3 + (column < 20 ? 30 : 0) + n));
      }
      Write(absl::StrCat(n, ".png"), *EncodePng8(60, 50, pixels));
      absl::StrAppend(&csv, n, ".png,any,p", n / 2, "\n");
    }
    Write("cases.csv", csv + "gone.png,any,p0\n");
  }
  ~TrainOrientationTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(absl::string_view name) const {
    return absl::StrCat(folder_, "/", name);
  }
  void Write(const std::string& name, const std::string& bytes) {
    EXPECT_TRUE(WriteFileAtomically(Path(name), bytes, Durability::kNone).ok());
  }
  absl::Status Train(const std::string& name, int threads) {
    return TrainOrientation({.data = Path("cases.csv"),
                             .out = Path(name),
                             .epochs = 2,
                             .folds = 5,
                             .threads = threads},
                            RealClock(), said_);
  }

  const std::string folder_;
  std::ostringstream said_;
};

TEST_F(TrainOrientationTest, TheSameSeedGivesTheSameFile) {
  ASSERT_TRUE(Train("a.safetensors", 1).ok()) << said_.str();
  EXPECT_THAT(said_.str(), HasSubstr("40 images of 20 patients"));
  EXPECT_THAT(said_.str(), HasSubstr("row 42, left out"));
  EXPECT_THAT(said_.str(), HasSubstr("fold 5 of 5: epoch 2 of 2"));
  ASSERT_TRUE(Train("b.safetensors", 1).ok());
  EXPECT_EQ(*ReadFile(Path("a.safetensors")), *ReadFile(Path("b.safetensors")));
  std::ostringstream out;
  ASSERT_TRUE(
      ScoreOrientation(Path("cases.csv"), Path("a.safetensors"), 2, out).ok());
  EXPECT_THAT(out.str(), HasSubstr("mirrored and turned by 180 degrees"));
}

TEST_F(TrainOrientationTest, WrongOptionsAreSaidBeforeTheTimeIsSpent) {
  for (const OrientationTraining& wrong :
       {OrientationTraining{.data = Path("cases.csv"), .out = "x.pth"},
        OrientationTraining{.data = Path("cases.csv"),
        .out = Path("no/x.safetensors")},
        OrientationTraining{.data = Path("none.csv"),
        .out = Path("x.safetensors")},
        OrientationTraining{.data = Path("cases.csv"),
        .out = Path("x.safetensors"),
        .folds = 1}}) {
    EXPECT_FALSE(TrainOrientation(wrong, RealClock(), said_).ok());
  }
}

}  // namespace
}  // namespace hilum
