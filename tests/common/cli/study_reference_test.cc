// SPDX-License-Identifier: Apache-2.0
#include "common/cli/study_reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "common/cli/usage.h"

namespace hilum {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Hash(const std::string& digits) {
  return digits + std::string(64 - digits.size(), '0');
}

std::vector<KnownStudy> Studies() {
  return {{Hash("abc1"), "lungs", "training"},
          {Hash("abc2"), "lungs", "stopped"},
          {Hash("7"), "hearts", "completed"},
          {Hash("fed"), "abc1", "training"}};
}

std::string Message(const std::string& reference) {
  return std::string(FindStudy(reference, Studies()).status().message());
}

TEST(StudyReferenceTest, AnyNumberOfDigitsOfEitherCaseFindsTheStudy) {
  EXPECT_EQ(*FindStudy("7", Studies()), 2u);
  EXPECT_EQ(*FindStudy("70", Studies()), 2u);
  EXPECT_EQ(*FindStudy("700", Studies()), 2u);
  EXPECT_EQ(*FindStudy(Hash("abc2"), Studies()), 1u);
  EXPECT_EQ(*FindStudy("ABC2", Studies()), 1u);
}

TEST(StudyReferenceTest, AWholeNameFindsTheStudyAndABeginningDoesNot) {
  EXPECT_EQ(*FindStudy("hearts", Studies()), 2u);
  EXPECT_TRUE(absl::IsNotFound(FindStudy("heart", Studies()).status()));
}

TEST(StudyReferenceTest, AmbiguityListsTheCandidatesAndNoOthers) {
  for (const char* reference : {"abc", "lungs"}) {
    EXPECT_THAT(Message(reference),
                AllOf(HasSubstr(Hash("abc1") + "  lungs  training"),
                      HasSubstr(Hash("abc2") + "  lungs  stopped"),
                      Not(HasSubstr("hearts"))));
  }
  // One study's name may be the first digits of another's hash.
  EXPECT_THAT(Message("abc1"),
              AllOf(HasSubstr(Hash("abc1")), HasSubstr(Hash("fed"))));
  EXPECT_FALSE(IsUsageError(FindStudy("abc", Studies()).status()));
}

TEST(StudyReferenceTest, WhatIsNeitherDigitsNorANameIsWrongUsage) {
  for (const std::string& reference :
       {std::string(), std::string("no such"), std::string("Lungs!"),
        std::string(65, 'a'), std::string("\x1b[2J")}) {
    EXPECT_TRUE(IsUsageError(FindStudy(reference, Studies()).status()))
        << reference;
  }
  EXPECT_THAT(Message("\x1b[2J"), Not(HasSubstr("\x1b")));
}

TEST(StudyReferenceTest, WhereNoneFitsThoseThereAreAreListed) {
  EXPECT_THAT(Message("kidneys"), HasSubstr("hearts"));
  EXPECT_THAT(std::string(FindStudy("kidneys", {}).status().message()),
              HasSubstr("there are none"));
}

}  // namespace
}  // namespace hilum
