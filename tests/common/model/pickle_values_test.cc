// SPDX-License-Identifier: Apache-2.0
// The opcodes that make values.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/model/pickle.h"
#include "tests/common/model/torch_bytes.h"

namespace hilum {
namespace {

using testing::HasSubstr;
using Kind = PickleNode::Kind;

// Returns the refusal's message, "" where the pickle was accepted.
std::string Refusal(const std::string& bytes) {
  return std::string(Pickle::Read(bytes).status().message());
}

TEST(PickleValuesTest, ScalarsAreWhatPythonMeans) {
  auto value = [](const std::string& opcodes) {
    static std::string bytes;
    bytes = Pkl(opcodes);
    return Pickle::Read(bytes).value().root();
  };
  EXPECT_EQ(value("N").kind, Kind::kNone);
  EXPECT_EQ(value("\x88").integer, 1);
  EXPECT_EQ(value("J\xff\xff\xff\xff").integer, -1);
  EXPECT_EQ(value("K\xff").integer, 255);
  EXPECT_EQ(value("M\x01\x02").integer, 0x201);
  EXPECT_EQ(value(std::string("\x8a\x00", 2)).integer, 0);
  EXPECT_EQ(value("\x8a\x01\xfe").integer, -2);
  EXPECT_EQ(value("\x8a\x02\xff\x7f").integer, 32767);
  EXPECT_EQ(value("\x8a\x09 12345678").kind, Kind::kLong);
  EXPECT_EQ(value(std::string("G\x3f\xf8\0\0\0\0\0\0", 9)).real, 1.5);
  EXPECT_EQ(value(PklText("a\xc3\xa9")).text, "a\xc3\xa9");
  EXPECT_EQ(value("C\x02hi").kind, Kind::kBytes);
}

TEST(PickleValuesTest, OrderedDictsAndSetsAreDictsAndSets) {
  const std::string pairs = "](](" + PklText("k") + "K\x05" + "ee";
  const std::string bytes = Pkl(PklCall("collections", "OrderedDict", {pairs}));
  Pickle pickle = Pickle::Read(bytes).value();
  ASSERT_NE(pickle.Find(pickle.root(), "k"), nullptr);
  EXPECT_EQ(pickle.Find(pickle.root(), "k")->integer, 5);
  const std::string set = Pkl(PklCall("__builtin__", "set",
                                      {"](K\x01"
                                       "e"}));
  EXPECT_EQ(Pickle::Read(set).value().root().kind, Kind::kSet);
}

TEST(PickleValuesTest, AClassIsARecordAndItsDictIsData) {
  const std::string bytes =
      Pkl(PklObject("my.models", "Net", PklDict({{"x", "K\x03"}})));
  Pickle pickle = Pickle::Read(bytes).value();
  ASSERT_EQ(pickle.root().kind, Kind::kObject);
  EXPECT_TRUE(pickle.at(pickle.root().items[0]).IsGlobal("my.models", "Net"));
  EXPECT_EQ(pickle.Find(pickle.at(pickle.root().items[2]), "x")->integer, 3);
}

// yacs' CfgNode, Lightning's AttributeDict, EasyDict: classes made from a dict.
TEST(PickleValuesTest, ARecordThatIsGivenItemsIsADictOrList) {
  const std::string node = PklGlobal("yacs.config", "CfgNode") + ")\x81";
  const std::string bytes = Pkl(node + PklText("lr") + "K\x05s" +
                                PklDict({{"frozen", "\x89"}}) + "b");
  Pickle pickle = Pickle::Read(bytes).value();
  ASSERT_NE(pickle.Find(pickle.root(), "lr"), nullptr);
  EXPECT_EQ(pickle.Find(pickle.root(), "lr")->integer, 5);
  const std::string list =
      Pkl(PklGlobal("my", "List") + ")\x81(K\x01K\x02" + "e");
  EXPECT_EQ(Pickle::Read(list)->root().items.size(), 2u);
  EXPECT_EQ(Pickle::Read(list)->root().kind, Kind::kList);
}

TEST(PickleValuesTest, ItemsForWhatHoldsNoneAreRefusedByItsName) {
  const std::string module = PklObject("my.models", "Net", PklDict({}));
  EXPECT_THAT(Refusal(Pkl(module + PklText("k") + "Ns")),
              HasSubstr("sets items of a my.models.Net"));
  EXPECT_THAT(Refusal(Pkl(module + "Na")),
              HasSubstr("appends to a my.models.Net"));
  EXPECT_THAT(Refusal(Pkl("K\x01Na")), HasSubstr("a value, which is no list"));
}

TEST(PickleValuesTest, AStateIsKeptWhateverItIs) {
  const std::string state = PklTuple({PklText("a"), PklText("b")});
  const std::string bytes = Pkl(PklObject("my", "Thing", state));
  Pickle pickle = Pickle::Read(bytes).value();
  ASSERT_EQ(pickle.root().items.size(), 3u);
  EXPECT_EQ(pickle.at(pickle.root().items[2]).kind, Kind::kTuple);
  EXPECT_THAT(Refusal(Pkl(PklObject("my", "Thing", state) + "}b")),
              HasSubstr("of two states"));
  EXPECT_THAT(Refusal(Pkl("K\x01}b")), HasSubstr("has none"));
}

}  // namespace
}  // namespace hilum
