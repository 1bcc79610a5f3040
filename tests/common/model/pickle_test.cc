// SPDX-License-Identifier: Apache-2.0
#include "common/model/pickle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/common/model/torch_bytes.h"

namespace hilum {
namespace {

using testing::HasSubstr;
using Kind = PickleNode::Kind;

// Returns the refusal's message, "" where the pickle was accepted.
std::string Refusal(const std::string& bytes) {
  return std::string(Pickle::Read(bytes).status().message());
}

TEST(PickleTest, ScalarsAreWhatPythonMeans) {
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

TEST(PickleTest, ContainersKeepOrderAndTheMemoShares) {
  // The pickle of d = {"a": [1, 2], "b": the same list}.
  const std::string bytes = Pkl("}(" + PklText("a") + "](K\x01K\x02" +
                                "eq\x07" + PklText("b") + "h\x07u");
  Pickle pickle = Pickle::Read(bytes).value();
  const PickleNode* a = pickle.Find(pickle.root(), "a");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(a, pickle.Find(pickle.root(), "b"));
  ASSERT_EQ(a->items.size(), 2u);
  EXPECT_EQ(pickle.at(a->items[1]).integer, 2);
  EXPECT_EQ(pickle.Find(pickle.root(), "c"), nullptr);
  EXPECT_EQ(pickle.size(), bytes.size());
}

TEST(PickleTest, OrderedDictsAndSetsAreDictsAndSets) {
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

TEST(PickleTest, AClassIsARecordAndItsDictIsData) {
  const std::string bytes =
      Pkl(PklObject("my.models", "Net", PklDict({{"x", "K\x03"}})));
  Pickle pickle = Pickle::Read(bytes).value();
  ASSERT_EQ(pickle.root().kind, Kind::kObject);
  EXPECT_TRUE(pickle.at(pickle.root().items[0]).IsGlobal("my.models", "Net"));
  EXPECT_EQ(pickle.Find(pickle.at(pickle.root().items[2]), "x")->integer, 3);
}

TEST(PickleTest, CallsAreRefusedByName) {
  for (auto [module, name] : {std::pair{"os", "system"},
                              {"posix", "system"},
                              {"nt", "system"},
                              {"subprocess", "Popen"},
                              {"builtins", "eval"},
                              {"__builtin__", "exec"},
                              {"builtins", "getattr"},
                              {"functools", "reduce"},
                              {"numpy", "Anything"},
                              {"torch.anything", "Class"},
                              {"torch.hub", "load"},
                              {"torch", "load"},
                              {"torch.storage", "_load_from_bytes"},
                              {"numpy.testing", "runstring"},
                              {"hospital", "anything"}}) {
    const std::string full = absl::StrCat(module, ".", name);
    const std::string refusal =
        Refusal(Pkl(PklCall(module, name, {PklText("id")})));
    EXPECT_THAT(refusal, HasSubstr(full));
    EXPECT_THAT(refusal, HasSubstr("nothing was run"));
  }
}

TEST(PickleTest, ARefusalSaysWhichByte) {
  EXPECT_THAT(Refusal(Pkl("]0" + PklGlobal("os", "system"))),
              HasSubstr("byte 4: names os.system"));
  EXPECT_THAT(Refusal("\x80\x04\x8c\x02os\x8c\x06system\x93."),
              HasSubstr("byte 14: names os.system"));
}

// An object that trainers store beside weights becomes a record: its class and
// its arguments. Nobody makes the object.
TEST(PickleTest, WhatWeightsHaveNoNeedOfIsARecord) {
  for (auto [module, name] : {std::pair{"pathlib", "PosixPath"},
                              {"functools", "partial"},
                              {"datetime", "datetime"},
                              {"datetime", "timedelta"},
                              {"decimal", "Decimal"},
                              {"uuid", "SafeUUID"},
                              {"collections", "deque"},
                              {"builtins", "slice"},
                              {"numpy.random._pickle", "__randomstate_ctor"},
                              {"train", "Phase"},
                              {"train.settings", "Outer._Inner"}}) {
    const std::string bytes = Pkl(PklCall(module, name, {PklText("id")}));
    auto pickle = Pickle::Read(bytes);
    ASSERT_TRUE(pickle.ok()) << pickle.status();
    ASSERT_EQ(pickle->root().kind, Kind::kObject) << name;
    EXPECT_TRUE(pickle->at(pickle->root().items[0]).IsGlobal(module, name));
  }
}

TEST(PickleTest, AMemberOfAnEnumerationIsARecord) {
  EXPECT_EQ(
      Refusal(Pkl(PklCall("__builtin__", "getattr",
                          {PklGlobal("train", "Phase"), PklText("FIT")}))),
      "");
  // Any other getattr is a step to running code.
  EXPECT_THAT(
      Refusal(Pkl(PklCall("__builtin__", "getattr", {"}", PklText("x")}))),
      HasSubstr("getattr, which is not on the list"));
  EXPECT_THAT(Refusal(Pkl(PklCall("__builtin__", "getattr",
                                  {PklGlobal("os", "system"), PklText("x")}))),
              HasSubstr("names os.system"));
  const std::string got = PklCall(
      "builtins", "getattr", {PklGlobal("train", "Phase"), PklText("FIT")});
  EXPECT_THAT(Refusal(Pkl(got + "(t" + "R")), HasSubstr("nothing was run"));
}

// yacs' CfgNode, Lightning's AttributeDict and EasyDict derive from dict.
TEST(PickleTest, ARecordThatIsGivenItemsIsADictOrList) {
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

TEST(PickleTest, ItemsForWhatHoldsNoneAreRefusedByItsName) {
  const std::string module = PklObject("my.models", "Net", PklDict({}));
  EXPECT_THAT(Refusal(Pkl(module + PklText("k") + "Ns")),
              HasSubstr("sets items of a my.models.Net"));
  EXPECT_THAT(Refusal(Pkl(module + "Na")),
              HasSubstr("appends to a my.models.Net"));
  EXPECT_THAT(Refusal(Pkl("K\x01Na")), HasSubstr("a value, which is no list"));
}

TEST(PickleTest, AStateIsKeptWhateverItIs) {
  const std::string state = PklTuple({PklText("a"), PklText("b")});
  const std::string bytes = Pkl(PklObject("my", "Thing", state));
  Pickle pickle = Pickle::Read(bytes).value();
  ASSERT_EQ(pickle.root().items.size(), 3u);
  EXPECT_EQ(pickle.at(pickle.root().items[2]).kind, Kind::kTuple);
  EXPECT_THAT(Refusal(Pkl(PklObject("my", "Thing", state) + "}b")),
              HasSubstr("of two states"));
  EXPECT_THAT(Refusal(Pkl("K\x01}b")), HasSubstr("has none"));
}

TEST(PickleTest, OpcodesThatAreNotTakenAreNamed) {
  EXPECT_THAT(Refusal(Pkl("(ios\nsystem\n")), HasSubstr("INST"));
  EXPECT_THAT(Refusal(Pkl("(o")), HasSubstr("OBJ"));
  EXPECT_THAT(Refusal(Pkl("\x82\x01")), HasSubstr("EXT1"));
  EXPECT_THAT(Refusal(Pkl("I1\n")), HasSubstr("INT"));
  EXPECT_THAT(Refusal(Pkl("\xff")), HasSubstr("0xff"));
  EXPECT_THAT(Refusal("(lp0\n."), HasSubstr("protocol 2"));
  EXPECT_THAT(Refusal("\x80\x07N."), HasSubstr("protocol 7"));
}

TEST(PickleTest, LengthsPastTheEndAreRefused) {
  const std::string huge = Little(~0ull >> 1, 8);
  EXPECT_THAT(Refusal(Pkl("\x95" + huge)), HasSubstr("a frame of"));
  EXPECT_THAT(Refusal(Pkl("\x8d" + huge)), HasSubstr("bytes, 1 are left"));
  EXPECT_THAT(Refusal(Pkl("\x8d" + Little(~0ull, 8))), HasSubstr("are left"));
  EXPECT_THAT(Refusal(Pkl("X\xff\xff\xff\xff")), HasSubstr("4294967295 bytes"));
  EXPECT_THAT(Refusal(Pkl("\x8b\xff\xff\xff\xff")), HasSubstr("are left"));
  EXPECT_THAT(Refusal("\x80\x02N"), HasSubstr("0 are left"));
  EXPECT_THAT(Refusal("\x80\x02"
                      "cos"),
              HasSubstr("without an end"));
}

// Otherwise bytes behind a pickle would decide whether it is valid.
TEST(PickleTest, FramesEndWithinTheirPickle) {
  EXPECT_EQ(Refusal("\x80\x04\x95" + Little(2, 8) + "N."), "");
  EXPECT_THAT(Refusal("\x80\x04\x95" + Little(3, 8) + "N.more"),
              HasSubstr("ends within a frame"));
  EXPECT_THAT(
      Refusal("\x80\x04\x95" + Little(12, 8) + "N\x95" + Little(2, 8) + "0N."),
      HasSubstr("within another"));
}

TEST(PickleTest, TheStackEndsAtItsFloorAndAtTheMark) {
  for (const char* opcodes :
       {"", "0", "R", "s", "u", "t", "1", "(", "N(0", "N(b", "Na", "(Nd",
        "](NNe\x85\x86", "h\x01", "q\x01", "\x94"}) {
    EXPECT_NE(Refusal(Pkl(opcodes)), "") << opcodes;
  }
}

TEST(PickleTest, MemoBombsAreRefused) {
  EXPECT_THAT(Refusal(Pkl("Nr\xff\xff\xff\x7f")), HasSubstr("memo index"));
  // Each list holds the last one twice: copying would give 2^64 values.
  std::string doubling = "](NNeq\x01";
  for (int i = 0; i < 64; ++i)
    doubling +=
        "0](h\x01h\x01"
        "eq\x01";
  EXPECT_EQ(Refusal(Pkl(doubling)), "");
  // The pickle makes a set from a long list, again and again.
  std::string copies = "](" + std::string(100000, 'N') + "eq\x01";
  for (int i = 0; i < 200; ++i) copies += "0c__builtin__\nset\nh\x01\x85R";
  EXPECT_EQ(Pickle::Read(Pkl(copies)).status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST(PickleTest, DeepNestingIsRefused) {
  std::string tuples = "N" + std::string(100000, '\x85');
  EXPECT_THAT(Refusal(Pkl(tuples)), HasSubstr("500 deep"));
  EXPECT_THAT(Refusal(Pkl(std::string(100000, '('))), HasSubstr("marks"));
  std::string lists;
  for (int i = 0; i < 1000; ++i) lists += "](";
  for (int i = 0; i < 1000; ++i) lists += "e";
  EXPECT_THAT(Refusal(Pkl(lists)), HasSubstr("deep"));
}

TEST(PickleTest, TooManyValuesAreRefused) {
  EXPECT_EQ(Pickle::Read(Pkl(std::string(2 << 20, 'N'))).status().code(),
            absl::StatusCode::kResourceExhausted);
  const std::string long_bytes =
      "B" + Little(33 << 20, 4) + std::string(33 << 20, 'x') + "0N";
  EXPECT_EQ(Pickle::Read(Pkl(long_bytes)).status().code(),
            absl::StatusCode::kResourceExhausted);
}

// Any prefix, and any changed byte, gives a status or another value, never a
// crash.
TEST(PickleTest, CutShortOrTurnedItIsAnErrorOrAnotherValue) {
  const std::string good = Pkl(PklModule(
      {{"w", PklTensor("FloatStorage", "0", 2, 0, {2}, {1})}}, {}, {}));
  ASSERT_EQ(Refusal(good), "");
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_NE(Refusal(good.substr(0, size)), "") << size;
  }
  for (size_t at = 0; at < good.size(); ++at) {
    std::string turned = good;
    for (int value : {0, 1, 40, 82, 98, 99, 127, 128, 255, good[at] ^ 1}) {
      turned[at] = static_cast<char>(value);
      Pickle::Read(turned).status().IgnoreError();
    }
  }
}

}  // namespace
}  // namespace hilum
