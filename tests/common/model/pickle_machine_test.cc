// SPDX-License-Identifier: Apache-2.0
#include "common/model/pickle_machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/model/pickle.h"
#include "tests/common/model/torch_bytes.h"

namespace hilum {
namespace {

using testing::HasSubstr;

// Returns the refusal's message, "" where the pickle was accepted.
std::string Refusal(const std::string& bytes) {
  return std::string(Pickle::Read(bytes).status().message());
}

TEST(PickleMachineTest, ARefusalSaysWhichByte) {
  EXPECT_THAT(Refusal(Pkl("]0" + PklGlobal("os", "system"))),
              HasSubstr("byte 4: names os.system"));
  EXPECT_THAT(Refusal("\x80\x04\x8c\x02os\x8c\x06system\x93."),
              HasSubstr("byte 14: names os.system"));
}

TEST(PickleMachineTest, OpcodesThatAreNotTakenAreNamed) {
  EXPECT_THAT(Refusal(Pkl("(ios\nsystem\n")), HasSubstr("INST"));
  EXPECT_THAT(Refusal(Pkl("(o")), HasSubstr("OBJ"));
  EXPECT_THAT(Refusal(Pkl("\x82\x01")), HasSubstr("EXT1"));
  EXPECT_THAT(Refusal(Pkl("I1\n")), HasSubstr("INT"));
  EXPECT_THAT(Refusal(Pkl("\xff")), HasSubstr("0xff"));
  EXPECT_THAT(Refusal("(lp0\n."), HasSubstr("protocol 2"));
  EXPECT_THAT(Refusal("\x80\x07N."), HasSubstr("protocol 7"));
}

TEST(PickleMachineTest, LengthsPastTheEndAreRefused) {
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

// Else what follows a pickle would decide whether it is one.
TEST(PickleMachineTest, FramesEndWithinTheirPickle) {
  EXPECT_EQ(Refusal("\x80\x04\x95" + Little(2, 8) + "N."), "");
  EXPECT_THAT(Refusal("\x80\x04\x95" + Little(3, 8) + "N.more"),
              HasSubstr("ends within a frame"));
  EXPECT_THAT(
      Refusal("\x80\x04\x95" + Little(12, 8) + "N\x95" + Little(2, 8) + "0N."),
      HasSubstr("within another"));
}

TEST(PickleMachineTest, TheStackEndsAtItsFloorAndAtTheMark) {
  for (const char* opcodes :
       {"", "0", "R", "s", "u", "t", "1", "(", "N(0", "N(b", "Na", "(Nd",
        "](NNe\x85\x86", "h\x01", "q\x01", "\x94"}) {
    EXPECT_NE(Refusal(Pkl(opcodes)), "") << opcodes;
  }
}

TEST(PickleMachineTest, MemoBombsAreRefused) {
  EXPECT_THAT(Refusal(Pkl("Nr\xff\xff\xff\x7f")), HasSubstr("memo index"));
  // Each list is the last one twice: 2^64 values, were they copied.
  std::string doubling = "](NNeq\x01";
  for (int i = 0; i < 64; ++i)
    doubling +=
        "0](h\x01h\x01"
        "eq\x01";
  EXPECT_EQ(Refusal(Pkl(doubling)), "");
  // A set of a long list, made again and again.
  std::string copies = "](" + std::string(100000, 'N') + "eq\x01";
  for (int i = 0; i < 200; ++i) copies += "0c__builtin__\nset\nh\x01\x85R";
  EXPECT_EQ(Pickle::Read(Pkl(copies)).status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST(PickleMachineTest, DeepNestingIsRefused) {
  std::string tuples = "N" + std::string(100000, '\x85');
  EXPECT_THAT(Refusal(Pkl(tuples)), HasSubstr("500 deep"));
  EXPECT_THAT(Refusal(Pkl(std::string(100000, '('))), HasSubstr("marks"));
  std::string lists;
  for (int i = 0; i < 1000; ++i) lists += "](";
  for (int i = 0; i < 1000; ++i) lists += "e";
  EXPECT_THAT(Refusal(Pkl(lists)), HasSubstr("deep"));
}

TEST(PickleMachineTest, TooManyValuesAreRefused) {
  EXPECT_EQ(Pickle::Read(Pkl(std::string(2 << 20, 'N'))).status().code(),
            absl::StatusCode::kResourceExhausted);
  const std::string long_bytes =
      "B" + Little(33 << 20, 4) + std::string(33 << 20, 'x') + "0N";
  EXPECT_EQ(Pickle::Read(Pkl(long_bytes)).status().code(),
            absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace hilum
