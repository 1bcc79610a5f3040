// SPDX-License-Identifier: Apache-2.0
#include "common/model/pickle_globals.h"

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

TEST(PickleGlobalsTest, CallsAreRefusedByName) {
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

// A thing that trainers keep beside weights is a record: its class, and the
// arguments that it would have been made with, which nobody makes.
TEST(PickleGlobalsTest, WhatWeightsHaveNoNeedOfIsARecord) {
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

TEST(PickleGlobalsTest, AMemberOfAnEnumerationIsARecord) {
  EXPECT_EQ(
      Refusal(Pkl(PklCall("__builtin__", "getattr",
                          {PklGlobal("train", "Phase"), PklText("FIT")}))),
      "");
  // A getattr of anything else is a step to running things.
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

TEST(PickleGlobalsTest, NamesOfPythonsOwnLibraryAreRefusedOffTheList) {
  EXPECT_EQ(UseOfGlobal("os", "system"), GlobalUse::kRefused);
  EXPECT_EQ(UseOfGlobal("os.path", "join"), GlobalUse::kRefused);
  EXPECT_EQ(UseOfGlobal("builtins", "eval"), GlobalUse::kRefused);
  EXPECT_EQ(UseOfGlobal("collections", "OrderedDict"), GlobalUse::kDict);
  EXPECT_EQ(UseOfGlobal("__builtin__", "frozenset"), GlobalUse::kSet);
  EXPECT_EQ(UseOfGlobal("torch._utils", "_rebuild_tensor_v2"),
            GlobalUse::kCall);
}

// A function of another's package may be a call that makes a tensor.
TEST(PickleGlobalsTest, OnlyAClassOfAnotherPackageMakesRecordsWhenCalled) {
  EXPECT_EQ(UseOfGlobal("hospital.net", "Settings"), GlobalUse::kInert);
  EXPECT_EQ(UseOfGlobal("hospital.net", "Outer._Inner"), GlobalUse::kInert);
  EXPECT_EQ(UseOfGlobal("hospital.net", "make"), GlobalUse::kRecord);
  EXPECT_EQ(UseOfGlobal("torch.nn", "Linear"), GlobalUse::kRecord);
  EXPECT_EQ(UseOfGlobal("osmium", "Thing"), GlobalUse::kInert);
}

}  // namespace
}  // namespace hilum
