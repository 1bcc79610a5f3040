// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/weights/weights_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/crypto/sha256.h"
#include "common/model/safetensors.h"
#include "common/model/torch_writer.h"
#include "common/model/weights_file.h"
#include "tests/common/model/torch_bytes.h"

namespace hilum {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string PathOf(absl::string_view name) {
  return absl::StrCat(testing::TempDir(), "/command-", name);
}

class WeightsCommandTest : public testing::Test {
 protected:
  WeightsCommandTest() {
    EXPECT_TRUE(WriteTorchFile(pth_, small_, values_).ok());
  }

  const Architecture small_ = LookUpArchitecture({"hilum_small", 3}).value();
  const std::vector<float> values_ = InitialWeights(small_, 2);
  const std::string pth_ = PathOf("small.pth");
  std::ostringstream out_;
};

TEST_F(WeightsCommandTest, InspectSaysWhatIsInAFile) {
  ASSERT_TRUE(InspectWeights(pth_, out_).ok());
  EXPECT_THAT(
      out_.str(),
      AllOf(HasSubstr("head.weight"), HasSubstr("[3, 160]"),
            HasSubstr("float32"), HasSubstr(ToHex(Sha256Of(*ReadFile(pth_)))),
            HasSubstr("hilum_small with 3 classes"),
            HasSubstr(absl::StrCat("elements      ", values_.size()))));
}

TEST_F(WeightsCommandTest, ConvertGoesBothWaysWithTheSameValues) {
  const std::string safe = PathOf("small.safetensors");
  const std::string back = PathOf("back.pth");
  for (const char* architecture : {"", "hilum_small"}) {
    ASSERT_TRUE(
        ConvertWeights({.in = pth_, .out = safe, .architecture = architecture},
                       out_)
            .ok());
    EXPECT_EQ(*ReadSafetensors(safe, small_), values_);
    ASSERT_TRUE(
        ConvertWeights({.in = safe, .out = back, .architecture = architecture},
                       out_)
            .ok());
    EXPECT_EQ(*ReadWeights(back, small_, {}), values_);
  }
  // The registry's order restores the original bytes.
  EXPECT_EQ(*ReadFile(back), *ReadFile(pth_));
}

TEST_F(WeightsCommandTest, PreprocessingIsWrittenShownAndKept) {
  const std::string safe = PathOf("says.safetensors");
  ASSERT_TRUE(InspectWeights(pth_, out_).ok());
  EXPECT_THAT(out_.str(), HasSubstr("preprocessing not said"));
  ASSERT_TRUE(ConvertWeights(
                  {.in = pth_, .out = safe, .preprocessing = "imagenet"}, out_)
                  .ok());
  const std::string again = PathOf("again.safetensors");
  ASSERT_TRUE(ConvertWeights({.in = safe, .out = again}, out_).ok());
  ASSERT_TRUE(InspectWeights(again, out_).ok());
  EXPECT_THAT(out_.str(), HasSubstr("preprocessing imagenet"));
  for (auto [out, preset] :
       {std::pair{safe, "caffe"}, std::pair{PathOf("says.pth"), "imagenet"}}) {
    EXPECT_EQ(
        ConvertWeights({.in = pth_, .out = out, .preprocessing = preset}, out_)
            .code(),
        absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(WeightsCommandTest, FactsOfTheModelAreWrittenShownAndKept) {
  const std::string safe = PathOf("facts.safetensors");
  ASSERT_TRUE(ConvertWeights({.in = pth_,
                              .out = safe,
                              .architecture = "hilum_small",
                              .classes = {"a", "b", "c"},
                              .input_size = 128,
                              .arm = "whole"},
                             out_)
                  .ok());
  const std::string again = PathOf("again.safetensors");
  ASSERT_TRUE(
      ConvertWeights({.in = safe, .out = again, .arm = "segmented"}, out_)
          .ok());
  ASSERT_TRUE(InspectWeights(again, out_).ok());
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("classes       a,b,c\n"),
                                HasSubstr("input_size    128\n"),
                                HasSubstr("arm           segmented\n"),
                                HasSubstr("task          classification\n")));
  EXPECT_THAT(
      std::string(
          ConvertWeights({.in = pth_, .out = safe, .classes = {"a", "b"}}, out_)
              .message()),
      HasSubstr("--classes names 2 classes, and its head has 3"));
}

TEST_F(WeightsCommandTest, ConvertSumsTheChannelsOfAFileOfThree) {
  const Architecture three =
      LookUpArchitecture({"hilum_small", 3, 0, 3}).value();
  const std::string in = PathOf("three.pth"), out = PathOf("one.safetensors");
  ASSERT_TRUE(WriteTorchFile(in, three, InitialWeights(three, 2)).ok());
  ASSERT_TRUE(ConvertWeights({.in = in,
                              .out = out,
                              .architecture = "hilum_small",
                              .sum_input_channels = true},
                             out_)
                  .ok());
  EXPECT_TRUE(ReadSafetensors(out, small_).ok());
}

TEST_F(WeightsCommandTest, ConvertTellsWhatItLeaves) {
  const std::string in = PathOf("counted.pth");
  ASSERT_TRUE(
      WriteFileAtomically(
          in,
          TorchZip(
              PklOrdered({{"w", PklTensor("FloatStorage", "0", 1, 0, {1}, {1})},
                          {"n", PklTensor("LongStorage", "1", 1, 0, {}, {})}}),
              {{"0", RawBytes<float>({4})}, {"1", Little(7, 8)}}))
          .ok());
  ASSERT_TRUE(
      ConvertWeights({.in = in, .out = PathOf("counted.safetensors")}, out_)
          .ok());
  EXPECT_THAT(out_.str(), HasSubstr("not of floating point: n\n"));
}

TEST_F(WeightsCommandTest, ConvertRefusesWhatIsUnlike) {
  absl::Status status = ConvertWeights(
      {.in = pth_, .out = PathOf("x.pth"), .architecture = "vgg16"}, out_);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr(pth_), HasSubstr("not the tensors of vgg16"),
                    HasSubstr("missing: features.0.weight")));
  EXPECT_FALSE(FileExists(PathOf("x.pth")));
  status = ConvertWeights({.in = pth_, .out = PathOf("x.h5")}, out_);
  EXPECT_THAT(std::string(status.message()), HasSubstr(".safetensors or .pth"));
  status = ConvertWeights(
      {.in = pth_, .out = PathOf("x.pth"), .architecture = "nn"}, out_);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
}

// A small file in which all tensors view one storage.
TEST_F(WeightsCommandTest, ConvertDoesNotBlowAFileUp) {
  PklItems items;
  for (int i = 0; i < 100; ++i) {
    items.push_back({absl::StrCat("w", i),
                     PklTensor("FloatStorage", "0", 10000, 0, {10000}, {1})});
  }
  const std::string in = PathOf("bomb.pth");
  ASSERT_TRUE(
      WriteFileAtomically(
          in, TorchZip(PklOrdered(items), {{"0", std::string(40000, '\0')}}))
          .ok());
  EXPECT_EQ(ConvertWeights({.in = in, .out = PathOf("x.pth")}, out_).code(),
            absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace hilum
