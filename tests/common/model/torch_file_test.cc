// SPDX-License-Identifier: Apache-2.0
#include "common/model/torch_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/common/model/parsed_torch_file.h"

namespace hilum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

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

// Both containers, as above for pickles.
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
