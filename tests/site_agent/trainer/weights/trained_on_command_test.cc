// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/weights/trained_on_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/model/safetensors.h"
#include "common/model/torch_writer.h"
#include "common/model/trained_on.h"
#include "common/model/weights_file.h"
#include "site_agent/imaging/image.h"
#include "site_agent/imaging/pictures/write_png.h"
#include "site_agent/trainer/weights/weights_command.h"

namespace hilum {
namespace {

using testing::HasSubstr;

class TrainedOnCommandTest : public testing::Test {
 protected:
  TrainedOnCommandTest() {
    EXPECT_TRUE(MakeDirectories(folder_).ok());
    EXPECT_TRUE(WriteSafetensors(Path("in.safetensors"), small_,
                                 InitialWeights(small_, 2),
                                 {{"preprocessing", "hilum"}})
                    .ok());
    for (int i = 0; i < 3; ++i) {
      std::vector<uint8_t> pixels(40 * 40, static_cast<uint8_t>(i));
      pixels[0] = 200;
      Put(absl::StrCat(i, ".png"), *EncodePng8(40, 40, pixels));
    }
    Put("cases.csv", "file,label,patient_id\n0.png,a,p\n1.png,b,q\n2.png,,r\n");
  }
  ~TrainedOnCommandTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const {
    return absl::StrCat(folder_, "/", name);
  }
  void Put(const std::string& name, const std::string& bytes) const {
    EXPECT_TRUE(WriteFileAtomically(Path(name), bytes).ok());
  }
  absl::Status Record(bool append = false) {
    return RecordTrainedOn({.in = Path("in.safetensors"),
                            .out = Path("out.safetensors"),
                            .manifest = Path("cases.csv"),
                            .name = "open",
                            .licence = "CC0",
                            .append = append},
                           out_);
  }

  const std::string folder_ = absl::StrCat(
      testing::TempDir(), "/trained-on-", getpid(), "-",
      testing::UnitTest::GetInstance()->current_test_info()->name());
  const Architecture small_ = LookUpArchitecture({"hilum_small", 3}).value();
  std::ostringstream out_;
};

TEST_F(TrainedOnCommandTest, TheListIsWrittenAndTheTensorsStay) {
  const absl::Status recorded = Record();
  ASSERT_TRUE(recorded.ok()) << recorded;
  const WeightsFile in = WeightsFile::Open(Path("in.safetensors")).value();
  const WeightsFile out = WeightsFile::Open(Path("out.safetensors")).value();
  EXPECT_EQ(*ReadSafetensors(Path("out.safetensors"), small_),
            *ReadSafetensors(Path("in.safetensors"), small_));
  EXPECT_EQ(out.metadata().at("preprocessing"), "hilum");
  const TrainedOnList data = TrainedOnOf(out.metadata()).value();
  ASSERT_EQ(data.size(), 1);
  EXPECT_EQ(data[0].images(), 3u);
  GrayImage first{40, 40, std::vector<float>(40 * 40, 0.0f)};
  first.pixels[0] = 200 / 255.0f;
  EXPECT_TRUE(ListsDigest(data[0].digests(),
                          PixelDigest(first).substr(0, kDigestPrefix)));
  ASSERT_TRUE(InspectWeights(Path("out.safetensors"), out_).ok());
  EXPECT_THAT(out_.str(), HasSubstr("trained on    open (3 images, CC0)"));
  // A conversion keeps the list.
  ASSERT_TRUE(ConvertWeights({.in = Path("out.safetensors"),
                              .out = Path("again.safetensors")},
                             out_)
                  .ok());
  EXPECT_EQ(WeightsFile::Open(Path("again.safetensors"))
                ->metadata()
                .at(kTrainedOnKey),
            TrainedOnText(data));
}

TEST_F(TrainedOnCommandTest, AppendKeepsTheSetsThatAreThere) {
  ASSERT_TRUE(Record().ok());
  std::filesystem::rename(Path("out.safetensors"), Path("in.safetensors"));
  ASSERT_TRUE(Record(/*append=*/true).ok());
  EXPECT_EQ(TrainedOnOf(WeightsFile::Open(Path("out.safetensors"))->metadata())
                ->size(),
            2);
  ASSERT_TRUE(Record().ok());
  EXPECT_EQ(TrainedOnOf(WeightsFile::Open(Path("out.safetensors"))->metadata())
                ->size(),
            1);
}

// An incomplete list would call a seen image unseen.
TEST_F(TrainedOnCommandTest, AnImageThatCannotBeReadIsAnError) {
  Put("1.png", "damaged");
  const absl::Status status = Record();
  EXPECT_THAT(std::string(status.message()), HasSubstr("manifest row 3"));
  EXPECT_FALSE(FileExists(Path("out.safetensors")));
}

TEST_F(TrainedOnCommandTest, AFileWithoutAPlaceForAListIsRefused) {
  ASSERT_TRUE(
      WriteTorchFile(Path("in.safetensors"), small_, InitialWeights(small_, 2))
          .ok());
  EXPECT_THAT(std::string(Record().message()), HasSubstr("not safetensors"));
}

}  // namespace
}  // namespace hilum
