// SPDX-License-Identifier: Apache-2.0
#include "common/model/state_dict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/common/model/parsed_torch_file.h"

namespace hilum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(StateDictTest, ViewsOfASharedStorageAreGathered) {
  // A transposed view, a slice with a step, and a scalar.
  const std::string bytes = TorchZip(
      PklOrdered({{"t", PklTensor("FloatStorage", "0", 6, 0, {3, 2}, {1, 3})},
                  {"s", PklTensor("FloatStorage", "0", 6, 1, {3}, {2})},
                  {"x", PklTensor("FloatStorage", "0", 6, 4, {}, {})}}),
      {{"0", kSix}});
  auto values = Values(bytes);
  EXPECT_THAT(values["t"], ElementsAre(1, 4, 2, 5, 3, 6));
  EXPECT_THAT(values["s"], ElementsAre(2, 4, 6));
  EXPECT_THAT(values["x"], ElementsAre(5));
}

TEST(StateDictTest, CheckpointsAndPrefixesAreUnwrapped) {
  const std::string inner = PklOrdered({{"module.w", Float("0", {6})}});
  for (const char* key : {"state_dict", "model", "model_state_dict"}) {
    auto values = Values(
        TorchZip(PklDict({{"epoch", "K\x03"}, {key, inner}}), {{"0", kSix}}));
    EXPECT_EQ(values.size(), 1u);
    EXPECT_EQ(values.count("w"), 1u) << key;
  }
  // Only where all have it.
  auto mixed = Values(TorchZip(
      PklOrdered({{"module.w", Float("0", {6})}, {"v", Float("0", {6})}}),
      {{"0", kSix}}));
  EXPECT_EQ(mixed.count("module.w"), 1u);
}

TEST(StateDictTest, AWholeModuleIsWalked) {
  const std::string parameter =
      PklCall("torch._utils", "_rebuild_parameter",
              {Float("0", {6}), "\x88", PklOrdered({})});
  const std::string leaf = PklModule({{"weight", parameter}, {"bias", "N"}},
                                     {{"mean", Float("0", {6})}}, {});
  const std::string net = PklModule(
      {}, {}, {{"features", PklModule({}, {}, {{"0", leaf}})}, {"gone", "N"}});
  auto values = Values(TorchZip(net, {{"0", kSix}}));
  EXPECT_EQ(values.size(), 2u);
  EXPECT_EQ(values.count("features.0.weight"), 1u);
  EXPECT_EQ(values.count("features.0.mean"), 1u);
}

TEST(StateDictTest, OldDensenetNamesAreTodays) {
  PklItems items;
  const char* kOld = "features.denseblock1.denselayer12.";
  for (const char* name :
       {"norm.1.weight", "conv.2.weight", "relu.1.x", "norm1.bias"}) {
    items.push_back({absl::StrCat(kOld, name), Float("0", {6})});
  }
  items.push_back({"features.norm.1.weight", Float("0", {6})});
  auto values = Values(TorchZip(PklOrdered(items), {{"0", kSix}}));
  for (const char* name :
       {"norm1.weight", "conv2.weight", "relu1.x", "norm1.bias"}) {
    EXPECT_EQ(values.count(absl::StrCat(kOld, name)), 1u) << name;
  }
  EXPECT_EQ(values.count("features.norm.1.weight"), 1u);
}

TEST(StateDictTest, StoragesMustBeThereAndOfTheirSize) {
  auto with = [](const std::string& tensor, const std::string& storage) {
    return TorchZip(PklOrdered({{"w", tensor}}), {{"0", storage}});
  };
  EXPECT_THAT(Refusal(with(Float("1", {6}), kSix)),
              HasSubstr("tensor w: its storage 1 is missing"));
  EXPECT_THAT(Refusal(with(Float("0", {6}), kSix.substr(4))),
              HasSubstr("its storage 0 has 20 bytes, not 6 times 4"));
  for (const std::string& tensor :
       {PklTensor("FloatStorage", "0", 6, 1, {6}, {1}),
        PklTensor("FloatStorage", "0", 6, -1, {6}, {1}),
        PklTensor("FloatStorage", "0", 6, 0, {7}, {1}),
        PklTensor("FloatStorage", "0", 6, 0, {2, 3}, {4, 1}),
        PklTensor("FloatStorage", "0", 6, 0, {2}, {-1}),
        PklTensor("FloatStorage", "0", 6, 5, {2}, {0x7fffffff}),
        PklTensor("FloatStorage", "0", 6, 0, {1 << 20}, {0}),
        PklTensor("FloatStorage", "0", 6, 0, {-2, -3}, {1, 1}),
        PklTensor("FloatStorage", "0", 6, 0,
                  {1 << 30, 1 << 30, 1 << 30, 1 << 30}, {0, 0, 0, 0}),
        PklTensor("FloatStorage", "0", -6, 0, {6}, {1}),
        PklTensor("ComplexFloatStorage", "0", 6, 0, {6}, {1})}) {
    EXPECT_THAT(Refusal(with(tensor, kSix)), HasSubstr("tensor w: "));
  }
}

// Only the class of what was saved says it: a state dict says nothing.
TEST(StateDictTest, TorchXRayVisionsModulesAreKnownByTheirClass) {
  const PklItems weights = {{"w", Float("0", {6})}};
  const std::string state = PklDict({{"_parameters", PklOrdered(weights)},
                                     {"_buffers", PklOrdered({})},
                                     {"_modules", PklOrdered({})}});
  auto said = [](const std::string& object) {
    return ParseTorchFile(TorchZip(object, {{"0", kSix}}))->metadata;
  };
  const std::string theirs =
      PklObject("torchxrayvision.models", "DenseNet", state);
  for (const std::string& object : {theirs, PklDict({{"model", theirs}})}) {
    EXPECT_THAT(said(object),
                ElementsAre(testing::Pair("preprocessing", "torchxrayvision")));
  }
  EXPECT_TRUE(said(PklObject("hospital.net", "DenseNet", state)).empty());
  EXPECT_TRUE(said(PklOrdered(weights)).empty());
}

TEST(StateDictTest, ModulesInACircleEnd) {
  // m = Net(); m._modules["m"] = m
  const std::string net =
      absl::StrCat(PklGlobal("a", "Net"), ")\x81q\x01", "}(",
                   PklText("_modules"), "}", PklText("m"), "h\x01", "sub");
  EXPECT_THAT(Refusal(TorchZip(net, {})), HasSubstr("within one another"));
}

TEST(StateDictTest, ModulesThatAreSharedAreCountedEachTime) {
  // Each module has the last one twice: 2^60 to visit.
  std::string all = PklModule({}, {}, {}) + "q\x01";
  for (int i = 0; i < 60; ++i) {
    all += "0" + PklModule({}, {}, {{"a", "h\x01"}, {"b", "h\x01"}}) + "q\x01";
  }
  EXPECT_EQ(ParseTorchFile(TorchZip(all, {})).status().code(),
            absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace hilum
