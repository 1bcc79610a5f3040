// SPDX-License-Identifier: Apache-2.0
#include "common/model/pickle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/common/model/torch_bytes.h"

namespace hilum {
namespace {

// Returns the refusal's message, "" where the pickle was accepted.
std::string Refusal(const std::string& bytes) {
  return std::string(Pickle::Read(bytes).status().message());
}

TEST(PickleTest, ContainersKeepOrderAndTheMemoShares) {
  // d = {"a": [1, 2], "b": the same list}
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

TEST(PickleTest, LastValueOfAKeyCountsAsInPython) {
  const std::string bytes =
      Pkl(PklDict({{"a", "K\x01"}, {"b", "K\x02"}, {"a", "K\x03"}}));
  const Pickle pickle = Pickle::Read(bytes).value();
  EXPECT_EQ(pickle.Find(pickle.root(), "a")->integer, 3);
}

TEST(PickleTest, NothingIsFoundInWhatIsNoDictNorUnderAKeyThatIsNoText) {
  const std::string list = Pkl("](" + PklText("a") + "K\x01" + "e");
  const Pickle none = Pickle::Read(list).value();
  EXPECT_EQ(none.Find(none.root(), "a"), nullptr);
  const std::string bytes = Pkl(std::string("}C\x01") + "aK\x01s");
  const Pickle pickle = Pickle::Read(bytes).value();
  EXPECT_EQ(pickle.Find(pickle.root(), "a"), nullptr);
}

TEST(PickleTest, WhatFollowsAPickleIsNotLookedAt) {
  const std::string one = Pkl("K\x07");
  const std::string bytes = one + "\xff more";
  const Pickle pickle = Pickle::Read(bytes).value();
  EXPECT_EQ(pickle.root().integer, 7);
  EXPECT_EQ(pickle.size(), one.size());
}

// Every prefix, and every byte turned in some ways: nothing but a status comes
// back.
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
