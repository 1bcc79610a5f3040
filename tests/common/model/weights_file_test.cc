// SPDX-License-Identifier: Apache-2.0
#include "common/model/weights_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "common/base/file.h"
#include "common/crypto/sha256.h"
#include "common/model/safetensors.h"
#include "common/model/torch_writer.h"
#include "tests/common/model/torch_bytes.h"

namespace hilum {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Returns a convolution with one input channel and a head of three classes.
Architecture Tiny(int64_t channels = 1, int64_t classes = 3) {
  return {.name = "tiny",
          .input_channels = static_cast<int>(channels),
          .num_blocks = 1,
          .tensors = {{"conv", {2, channels, 1, 2}, Init::kHeNormal, 0},
                      {"head.weight", {classes, 2}, Init::kHeNormal, 1},
                      {"head.bias", {classes}, Init::kOne, 1}}};
}

std::vector<float> Counting(const Architecture& architecture) {
  std::vector<float> values;
  for (const TensorSpec& spec : architecture.tensors) {
    for (int64_t i = 0; i < spec.size(); ++i) {
      values.push_back(static_cast<float>(values.size()) + 1);
    }
  }
  return values;
}

std::string PathOf(absl::string_view name) {
  return absl::StrCat(testing::TempDir(), "/weights-", name);
}

std::string Written(absl::string_view name, const std::string& bytes) {
  std::string path = PathOf(name);
  EXPECT_TRUE(WriteFileAtomically(path, bytes).ok());
  return path;
}

std::string WrittenPth(absl::string_view name, const Architecture& architecture,
                       const std::vector<float>& values) {
  std::string path = PathOf(name);
  EXPECT_TRUE(WriteTorchFile(path, architecture, values).ok());
  return path;
}

std::string Message(const absl::StatusOr<std::vector<float>>& read) {
  return std::string(read.status().message());
}

TEST(WeightsFileTest, TheKindIsToldByTheBytes) {
  const Architecture tiny = Tiny();
  const std::vector<float> values = Counting(tiny);
  const std::string pth = WrittenPth("kind.safetensors", tiny, values);
  const std::string safe = PathOf("kind.pth");
  ASSERT_TRUE(WriteSafetensors(safe, tiny, values, {}).ok());
  for (const std::string& path : {pth, safe}) {
    auto read = ReadWeights(path, tiny, {});
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(*read, values);
  }
  EXPECT_EQ(WeightsFile::Open(pth)->format(), ".pth (zip)");
  EXPECT_EQ(WeightsFile::Open(safe)->format(), "safetensors");
}

TEST(WeightsFileTest, OtherFilesAreCalledWhatTheyAre) {
  for (auto [bytes, what] : {std::pair<std::string, const char*>{"", "empty"},
                             {"\x89HDF\r\n", "HDF5"},
                             {"version https://git-lfs.github.com/spec", "LFS"},
                             {"<!DOCTYPE html>", "web page"},
                             {Pkl("N"), "not one of torch.save"},
                             {"\x1f\x8b\x08\x08", "gunzip"},
                             {"BZh91AY", "bunzip2"},
                             {std::string(257, 'x') + "ustar", "a tar archive"},
                             {"\x08\x07\x12\x07pytorch", "ONNX"},
                             {R"( {"weight_map": {}})", "in several files"},
                             {R"({"error": "Access Denied"})", "JSON"},
                             {"[]", "JSON"},
                             {"hello", "neither"}}) {
    const std::string path = Written("other", bytes);
    const std::string message = Message(ReadWeights(path, Tiny(), {}));
    EXPECT_THAT(message, AllOf(HasSubstr(path), HasSubstr(what)));
  }
  EXPECT_EQ(ReadWeights(PathOf("absent"), Tiny(), {}).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadWeights(testing::TempDir(), Tiny(), {}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(WeightsFileTest, AllThatIsUnlikeIsListedAndCutShort) {
  Architecture other = Tiny();
  other.tensors[0].shape = {2, 1, 2, 1};
  other.tensors[2].name = "fc.bias";
  for (int i = 0; i < 30; ++i) {
    other.tensors.push_back({absl::StrCat("extra", i), {1}, Init::kZero, 0});
  }
  const std::string path = WrittenPth("unlike", other, Counting(other));
  const std::string message = Message(ReadWeights(path, Tiny(), {}));
  EXPECT_THAT(message, AllOf(HasSubstr("not the tensors of tiny"),
                             HasSubstr("missing: head.bias"),
                             HasSubstr("unexpected: fc.bias, extra0"),
                             HasSubstr("and 19 more"),
                             HasSubstr("conv [2, 1, 2, 1], not [2, 1, 1, 2]")));
  // No single option would be enough, so none is named.
  EXPECT_THAT(message, Not(HasSubstr("--fresh-head")));
}

TEST(WeightsFileTest, ThreeChannelsAreSummedOnRequest) {
  const Architecture three = Tiny(3);
  const std::vector<float> values = Counting(three);
  const std::string path = WrittenPth("channels", three, values);
  EXPECT_THAT(Message(ReadWeights(path, Tiny(), {})),
              HasSubstr("--sum-channels"));
  auto read = ReadWeights(path, Tiny(), {.sum_input_channels = true});
  ASSERT_TRUE(read.ok()) << read.status();
  // The numbers 1 .. 12 as [2, 3, 1, 2], summed over the second dimension.
  read->resize(4);
  EXPECT_THAT(*read,
              ElementsAre(1 + 3 + 5, 2 + 4 + 6, 7 + 9 + 11, 8 + 10 + 12));
}

TEST(WeightsFileTest, AHeadOfOtherClassesIsDrawnFromTheSeedOnRequest) {
  const Architecture thousand = Tiny(1, 1000);
  const std::vector<float> values = Counting(thousand);
  const std::string path = WrittenPth("head", thousand, values);
  EXPECT_THAT(Message(ReadWeights(path, Tiny(), {})),
              HasSubstr("--fresh-head"));
  auto read = ReadWeights(path, Tiny(), {.fresh_head = true, .seed = 5});
  ASSERT_TRUE(read.ok()) << read.status();
  std::vector<float> want = InitialWeights(Tiny(), 5);
  std::copy(values.begin(), values.begin() + 4, want.begin());
  EXPECT_EQ(*read, want);
}

TEST(WeightsFileTest, AHeadThatFitsIsKept) {
  const std::vector<float> values = Counting(Tiny());
  const std::string path = WrittenPth("kept", Tiny(), values);
  auto read = ReadWeights(path, Tiny(), {.fresh_head = true, .seed = 5});
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, values);
}

TEST(WeightsFileTest, NanAndInfinityAreNamedWithTheirTensor) {
  for (float bad : {std::nanf(""), INFINITY, -INFINITY}) {
    std::vector<float> values = Counting(Tiny());
    values[5] = bad;
    EXPECT_THAT(
        Message(ReadWeights(WrittenPth("nan", Tiny(), values), Tiny(), {})),
        HasSubstr("tensor head.weight holds NaN or infinity at element 1"));
  }
  // A float64 beyond float32's range becomes infinite.
  const Architecture one{.name = "one",
                         .tensors = {{"w", {1}, Init::kZero, 0}}};
  const std::string path = Written(
      "double",
      TorchZip(
          PklOrdered({{"w", PklTensor("DoubleStorage", "0", 1, 0, {1}, {1})}}),
          {{"0", RawBytes<double>({1e300})}}));
  EXPECT_THAT(Message(ReadWeights(path, one, {})), HasSubstr("tensor w"));
}

TEST(WeightsFileTest, WhatModulesCountIsLeft) {
  const Architecture one{.name = "one",
                         .tensors = {{"w", {1}, Init::kZero, 0}}};
  const std::string path = Written(
      "counted",
      TorchZip(
          PklOrdered(
              {{"w", PklTensor("FloatStorage", "0", 1, 0, {1}, {1})},
               {"norm.num_batches_tracked",
                PklTensor("LongStorage", "1", 1, 0, {}, {})},
               {"op_threshs", PklTensor("FloatStorage", "0", 1, 0, {1}, {1})}}),
          {{"0", RawBytes<float>({4})}, {"1", RawBytes<int64_t>({9})}}));
  auto read = ReadWeights(path, one, {});
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_THAT(*read, ElementsAre(4));
}

TEST(WeightsFileTest, SafetensorsOfHalfPrecisionAreRead) {
  const Architecture one{.name = "one",
                         .tensors = {{"w", {2}, Init::kZero, 0}}};
  const std::string header =
      R"({"w":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}})";
  const std::string path =
      Written("half", Little(header.size(), 8) + header +
                          RawBytes<uint16_t>({0x3f80, 0xc040}));
  auto read = ReadWeights(path, one, {});
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_THAT(*read, ElementsAre(1, -3));
}

TEST(WeightsFileTest, TheArchitectureIsFoundByItsTensors) {
  const Architecture small = LookUpArchitecture({"hilum_small", 7}).value();
  const std::vector<float> values = InitialWeights(small, 1);
  const std::string path = WrittenPth("small", small, values);
  auto fitting = FittingArchitectures(WeightsFile::Open(path)->tensors());
  ASSERT_EQ(fitting.size(), 1u);
  EXPECT_EQ(fitting[0].name, "hilum_small");
  EXPECT_EQ(fitting[0].classes, 7);
  EXPECT_EQ(fitting[0].input_channels, 1);
  const std::string other = WrittenPth("tiny", Tiny(), Counting(Tiny()));
  EXPECT_TRUE(
      FittingArchitectures(WeightsFile::Open(other)->tensors()).empty());
}

// Returns names and shapes as in a file, without values.
std::vector<NamedTensor> Named(const Architecture& architecture) {
  std::vector<NamedTensor> tensors;
  for (const TensorSpec& spec : architecture.tensors) {
    tensors.push_back({spec.name, {.shape = spec.shape}});
  }
  return tensors;
}

TEST(WeightsFileTest, EveryArchitectureIsFoundWithItsHeadAndChannels) {
  for (const std::string& name : KnownArchitectures()) {
    for (int units : {0, 12}) {
      for (int channels : {1, 3}) {
        const ModelShape shape{name, 5, units, channels};
        auto found =
            FittingArchitectures(Named(LookUpArchitecture(shape).value()));
        ASSERT_EQ(found.size(), 1u) << name;
        EXPECT_EQ(found[0].name, name);
        EXPECT_EQ(found[0].classes, 5);
        EXPECT_EQ(found[0].head_units, units);
        EXPECT_EQ(found[0].input_channels, channels);
      }
    }
  }
}

// Tests both ways: from the architecture's own head to one with head_units, and
// back.
TEST(WeightsFileTest, AHeadOfAnotherKindIsLeftOnRequest) {
  const Architecture own = LookUpArchitecture({"hilum_small", 4}).value();
  const Architecture units = LookUpArchitecture({"hilum_small", 2, 8}).value();
  for (auto [from, to, unexpected] :
       {std::tuple{&own, &units, "unexpected: head.weight, head.bias;"},
        std::tuple{&units, &own, "unexpected: head.0.weight"}}) {
    const std::vector<float> values = Counting(*from);
    const std::string path = WrittenPth("kind", *from, values);
    EXPECT_THAT(Message(ReadWeights(path, *to, {})),
                AllOf(HasSubstr(unexpected), HasSubstr("--fresh-head")));
    auto read = ReadWeights(path, *to, {.fresh_head = true, .seed = 5});
    ASSERT_TRUE(read.ok()) << read.status();
    std::vector<float> want = InitialWeights(*to, 5);
    size_t trunk = 0;
    for (const TensorSpec& spec : to->tensors) {
      if (spec.block < to->num_blocks) trunk += spec.size();
    }
    std::copy(values.begin(), values.begin() + trunk, want.begin());
    EXPECT_EQ(*read, want);
  }
}

// VGG's hidden layers do not belong to the head: drawn from the seed, they
// would stand frozen between a trunk and a head.
TEST(WeightsFileTest, AFreshHeadIsNoMoreThanTheHead) {
  const Architecture units = LookUpArchitecture({"vgg16", 4, 8}).value();
  const Architecture own = LookUpArchitecture({"vgg16", 4}).value();
  const std::string message =
      Message(FitWeights(Named(units), own, {.fresh_head = true}));
  EXPECT_THAT(message, AllOf(HasSubstr("missing: classifier.0.weight"),
                             Not(HasSubstr("--fresh-head"))));
}

TEST(WeightsFileTest, AVarianceBelowZeroIsRefused) {
  const Architecture one{
      .name = "one",
      .tensors = {{"v", {2}, Init::kOne, 0, TensorRole::kRunningVariance}}};
  EXPECT_THAT(
      Message(ReadWeights(WrittenPth("below", one, {1, -1e-9f}), one, {})),
      HasSubstr("tensor v holds a variance below 0"));
  EXPECT_TRUE(ReadWeights(WrittenPth("zero", one, {1, 0}), one, {}).ok());
}

TEST(WrittenTorchFileTest, EqualInputEqualBytesAndTheirDigest) {
  const std::vector<float> values = Counting(Tiny());
  const std::string a = PathOf("a.pth"), b = PathOf("b.pth");
  auto digest = WriteTorchFile(a, Tiny(), values);
  ASSERT_TRUE(digest.ok()) << digest.status();
  EXPECT_EQ(*digest, Sha256Of(*ReadFile(a)));
  EXPECT_EQ(*WriteTorchFile(b, Tiny(), values), *digest);
  EXPECT_FALSE(WriteTorchFile(a, Tiny(), {1.f, 2.f}).ok());
}

TEST(WrittenTorchFileTest, StoragesBeginAtMultiplesOf64) {
  const std::string path = WrittenPth("aligned", Tiny(), Counting(Tiny()));
  auto file = WeightsFile::Open(path).value();
  for (const NamedTensor& tensor : file.tensors()) {
    EXPECT_EQ((tensor.view.storage.data() - file.bytes().data()) % 64, 0);
  }
}

}  // namespace
}  // namespace hilum
