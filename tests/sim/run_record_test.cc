// SPDX-License-Identifier: Apache-2.0
#include "sim/run_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"

namespace hilum {
namespace {

using ::testing::HasSubstr;

class RunRecordTest : public testing::Test {
 protected:
  RunRecordTest() { std::filesystem::create_directories(out_); }
  ~RunRecordTest() override { std::filesystem::remove_all(out_); }

  const std::string out_ =
      absl::StrCat(testing::TempDir(), "/run-record-", getpid());
  const RunRecord record_{.source = "--phantoms 9",
                          .study = "name: \"x\"\n",
                          .cases = "ab",
                          .weights = "cd",
                          .prepared = true};
};

TEST_F(RunRecordTest, WhatIsWrittenIsRead) {
  EXPECT_FALSE(ReadRunRecord(out_)->has_value());
  ASSERT_TRUE(WriteRunRecord(out_, record_).ok());
  const auto read = ReadRunRecord(out_);
  ASSERT_TRUE(read.ok() && read->has_value());
  EXPECT_EQ(DifferenceOf(**read, record_), "");
  EXPECT_TRUE((*read)->prepared);
  EXPECT_FALSE((*read)->done);
}

TEST_F(RunRecordTest, AnotherFileOfThatNameIsNoRecord) {
  for (const char* text :
       {"", "[]", "{\"source\": 1}", "{\"source\": \"a\"}", "\xff"}) {
    ASSERT_TRUE(
        WriteFileAtomically(absl::StrCat(out_, "/run.json"), text).ok());
    const auto read = ReadRunRecord(out_);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_FALSE(read->has_value()) << text;
  }
}

TEST_F(RunRecordTest, EachDifferenceIsNamed) {
  RunRecord other = record_;
  other.source = "--phantoms 12";
  EXPECT_THAT(DifferenceOf(record_, other), HasSubstr("--phantoms 12"));
  other = record_;
  other.study = "";
  EXPECT_THAT(DifferenceOf(record_, other), HasSubstr("study"));
  other = record_;
  other.cases = "";
  EXPECT_THAT(DifferenceOf(record_, other), HasSubstr("cases"));
  other = record_;
  other.weights = "";
  EXPECT_THAT(DifferenceOf(record_, other), HasSubstr("weights"));
}

}  // namespace
}  // namespace hilum
