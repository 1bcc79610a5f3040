// SPDX-License-Identifier: Apache-2.0
#include "common/model/torch_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/common/model/torch_bytes.h"

namespace hilum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string Refusal(const std::string& bytes) {
  return std::string(ParseTorchFile(bytes).status().message());
}

// Returns each tensor as float32, by name.
std::map<std::string, std::vector<float>> Values(const std::string& bytes) {
  auto content = ParseTorchFile(bytes);
  EXPECT_TRUE(content.ok()) << content.status();
  std::map<std::string, std::vector<float>> values;
  if (!content.ok()) return values;
  for (const NamedTensor& tensor : content->tensors) {
    std::vector<float>& to = values[tensor.name];
    to.resize(static_cast<size_t>(tensor.view.size()));
    EXPECT_TRUE(CopyAsFloat32(tensor.name, tensor.view, to.data()).ok());
  }
  return values;
}

const std::string kSix = RawBytes<float>({1, 2, 3, 4, 5, 6});

std::string Float(absl::string_view key, const std::vector<int32_t>& shape) {
  std::vector<int32_t> strides(shape.size(), 1);
  int32_t size = 1;
  for (size_t d = shape.size(); d-- > 0;) {
    strides[d] = size;
    size *= shape[d];
  }
  return PklTensor("FloatStorage", key, 6, 0, shape, strides);
}

TEST(TorchFileTest, AZipOfAStateDictIsRead) {
  const std::string bytes =
      TorchZip(PklOrdered({{"b", Float("0", {2, 3})}, {"a", Float("1", {6})}}),
               {{"0", kSix}, {"1", kSix}});
  auto content = ParseTorchFile(bytes);
  ASSERT_TRUE(content.ok()) << content.status();
  const std::vector<NamedTensor>& tensors = content->tensors;
  ASSERT_EQ(tensors.size(), 2u);
  EXPECT_EQ(tensors[0].name, "b");  // the file's order
  EXPECT_THAT(tensors[0].view.shape, ElementsAre(2, 3));
  EXPECT_THAT(Values(bytes)["b"], ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(TorchFileTest, ALegacyFileIsRead) {
  auto tensor = [](absl::string_view type, absl::string_view key, int32_t n) {
    return PklTensor(type, key, n, 0, {n}, {1}, /*legacy=*/true);
  };
  const std::string bytes =
      TorchLegacy(PklOrdered({{"w", tensor("FloatStorage", "94", 6)},
                              {"n", tensor("LongStorage", "95", 1)}}),
                  {{"94", 6, kSix}, {"95", 1, RawBytes<int64_t>({7})}});
  auto values = Values(bytes);
  EXPECT_THAT(values["w"], ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(values["n"], ElementsAre(7));
}

TEST(TorchFileTest, ViewsOfASharedStorageAreGathered) {
  // The tensors: a transposed view, a slice with a step, and a scalar.
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

TEST(TorchFileTest, OtherFloatsBecomeFloat32) {
  // float16: 1, -2, 2^-24 (the least), 65504 (the largest).
  const std::string half = RawBytes<uint16_t>({0x3c00, 0xc000, 0x0001, 0x7bff});
  const std::string brain = RawBytes<uint16_t>({0x3f80, 0xc040});
  const std::string bytes = TorchZip(
      PklOrdered({{"h", PklTensor("HalfStorage", "0", 4, 0, {4}, {1})},
                  {"b", PklTensor("BFloat16Storage", "1", 2, 0, {2}, {1})},
                  {"d", PklTensor("DoubleStorage", "2", 1, 0, {1}, {1})}}),
      {{"0", half}, {"1", brain}, {"2", RawBytes<double>({0.1})}});
  auto values = Values(bytes);
  EXPECT_THAT(values["h"], ElementsAre(1, -2, 0x1p-24f, 65504));
  EXPECT_THAT(values["b"], ElementsAre(1, -3));
  EXPECT_THAT(values["d"], ElementsAre(0.1f));
}

TEST(TorchFileTest, CheckpointsAndPrefixesAreUnwrapped) {
  const std::string inner = PklOrdered({{"module.w", Float("0", {6})}});
  for (const char* key : {"state_dict", "model", "model_state_dict"}) {
    auto values = Values(
        TorchZip(PklDict({{"epoch", "K\x03"}, {key, inner}}), {{"0", kSix}}));
    EXPECT_EQ(values.size(), 1u);
    EXPECT_EQ(values.count("w"), 1u) << key;
  }
  // The prefix goes only where all names have it.
  auto mixed = Values(TorchZip(
      PklOrdered({{"module.w", Float("0", {6})}, {"v", Float("0", {6})}}),
      {{"0", kSix}}));
  EXPECT_EQ(mixed.count("module.w"), 1u);
}

TEST(TorchFileTest, AWholeModuleIsWalked) {
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

TEST(TorchFileTest, OldDensenetNamesAreTodays) {
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

TEST(TorchFileTest, StoragesMustBeThereAndOfTheirSize) {
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

TEST(TorchFileTest, WhatHoldsNoTensorsSaysWhatItHolds) {
  EXPECT_THAT(Refusal(TorchZip(PklDict({{"epoch", "N"}}), {})),
              HasSubstr("it has: epoch"));
  EXPECT_NE(Refusal(TorchZip("N", {})), "");
  EXPECT_THAT(Refusal(TorchZip(PklObject("a", "B", PklDict({})), {})),
              HasSubstr("no torch.nn.Module"));
  EXPECT_THAT(Refusal(Zip({{"t/data.pkl", Pkl("N")}, {"t/constants.pkl", ""}})),
              HasSubstr("TorchScript"));
  EXPECT_THAT(Refusal(Zip({{"t/data.pkl", Pkl("N")},
                           {"t/constants.pkl", ""},
                           {.name = "t/code/net.py", .method = 8}})),
              HasSubstr("TorchScript"));
  EXPECT_THAT(Refusal(Zip({{"t/data.pkl", Pkl("N")}, {"t/byteorder", "big"}})),
              HasSubstr("big-endian"));
  EXPECT_THAT(Refusal(Zip({{"readme", ""}})), HasSubstr("no data.pkl"));
}

// Only the class of a saved module tells; a state dict does not.
TEST(TorchFileTest, TorchXRayVisionsModulesAreKnownByTheirClass) {
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

TEST(TorchFileTest, ModulesInACircleEnd) {
  // The pickle of m = Net(); m._modules["m"] = m.
  const std::string net =
      absl::StrCat(PklGlobal("a", "Net"), ")\x81q\x01", "}(",
                   PklText("_modules"), "}", PklText("m"), "h\x01", "sub");
  EXPECT_THAT(Refusal(TorchZip(net, {})), HasSubstr("within one another"));
}

TEST(TorchFileTest, ModulesThatAreSharedAreCountedEachTime) {
  // Each module holds the last one twice: 2^60 to visit.
  std::string all = PklModule({}, {}, {}) + "q\x01";
  for (int i = 0; i < 60; ++i) {
    all += "0" + PklModule({}, {}, {{"a", "h\x01"}, {"b", "h\x01"}}) + "q\x01";
  }
  EXPECT_EQ(ParseTorchFile(TorchZip(all, {})).status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST(TorchFileTest, HostileArchivesAreRefused) {
  const ZipFile pickle = {"n/data.pkl", Pkl("N")};
  auto changed = [&](auto change) {
    ZipFile file = pickle;
    change(file);
    return Zip({file, {"n/data/0", kSix}});
  };
  EXPECT_THAT(Refusal(changed([](ZipFile& f) { f.method = 8; })),
              HasSubstr("n/data.pkl is compressed or"));
  EXPECT_THAT(Refusal(changed([](ZipFile& f) { f.flags = 1; })),
              HasSubstr("encrypted"));
  EXPECT_THAT(Refusal(changed([](ZipFile& f) { f.size = 0xfffffff0; })),
              HasSubstr("4294967280 bytes reach past"));
  EXPECT_THAT(Refusal(changed([](ZipFile& f) { f.size = 60; })),
              HasSubstr("overlaps"));
  EXPECT_THAT(Refusal(changed([](ZipFile& f) { f.header = 7; })),
              HasSubstr("not where the directory says"));
  EXPECT_THAT(Refusal(changed([](ZipFile& f) { f.header = 0x7fffffff; })),
              HasSubstr("not where the directory says"));
  EXPECT_THAT(Refusal(changed([](ZipFile& f) { f.local_name = "n/other.pk"; })),
              HasSubstr("another name"));
  EXPECT_THAT(Refusal(Zip({pickle, pickle})), HasSubstr("twice"));
  ZipFile again = pickle;
  again.header = 0;
  EXPECT_THAT(Refusal(Zip({pickle, again})), HasSubstr("overlaps"));
  std::string cut = Zip({pickle});
  EXPECT_THAT(Refusal(cut.substr(0, cut.size() - 1)), HasSubstr("cut short"));
}

TEST(TorchFileTest, HostileLegacyFilesAreRefused) {
  const std::string object =
      PklOrdered({{"w", PklTensor("FloatStorage", "a", 6, 0, {6}, {1}, true)}});
  EXPECT_THAT(Refusal(TorchLegacy(object, {{"a", 6, kSix.substr(1)}})),
              HasSubstr("cut short"));
  EXPECT_THAT(Refusal(TorchLegacy(object, {{"a", ~0ull / 4 + 1, kSix}})),
              HasSubstr("cut short"));
  EXPECT_THAT(Refusal(TorchLegacy(object, {{"a", 5, kSix}})),
              HasSubstr("not 6 times 4"));
  EXPECT_THAT(Refusal(TorchLegacy(object, {{"b", 6, kSix}})),
              HasSubstr("of no tensor"));
  EXPECT_THAT(Refusal(TorchLegacy(object, {})), HasSubstr("missing"));
  EXPECT_THAT(
      Refusal(TorchLegacy(PklCall("os", "system", {PklText("id")}), {})),
      HasSubstr("its object: pickle, byte 2: names os.system"));
}

// The test for pickles above, for both containers.
TEST(TorchFileTest, CutShortOrTurnedNothingBreaks) {
  const std::string zip =
      TorchZip(PklOrdered({{"w", Float("0", {2, 3})}}), {{"0", kSix}});
  const std::string legacy = TorchLegacy(
      PklOrdered({{"w", PklTensor("FloatStorage", "a", 6, 0, {6}, {1}, true)}}),
      {{"a", 6, kSix}});
  for (const std::string& good : {zip, legacy}) {
    ASSERT_EQ(Refusal(good), "");
    for (size_t size = 0; size < good.size(); ++size) {
      EXPECT_NE(Refusal(good.substr(0, size)), "") << size;
    }
    for (size_t at = 0; at < good.size(); ++at) {
      std::string turned = good;
      for (int value : {0, 1, 0x7f, 0x80, 0xff, good[at] ^ 1, good[at] ^ 64}) {
        turned[at] = static_cast<char>(value);
        auto read = ParseTorchFile(turned);
        if (!read.ok()) continue;
        for (const NamedTensor& tensor : read->tensors) {
          std::vector<float> to(static_cast<size_t>(tensor.view.size()));
          CopyAsFloat32("", tensor.view, to.data()).IgnoreError();
        }
      }
    }
  }
}

}  // namespace
}  // namespace hilum
