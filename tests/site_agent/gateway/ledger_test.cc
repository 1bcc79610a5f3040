// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/ledger.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "tests/site_agent/gateway/ledger_lines.h"

namespace hilum {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using v1::LedgerEntry;

class SetClock : public Clock {
 public:
  absl::Time Now() override { return now; }
  absl::Time now = absl::FromUnixSeconds(1000 * 3600);
};

LedgerEntry EntryOf(LedgerEntry::Kind kind, const std::string& detail = "") {
  LedgerEntry entry;
  entry.set_kind(kind);
  entry.set_method("NextTask");
  entry.set_detail(detail);
  return entry;
}

class LedgerCountsTest : public testing::Test {
 protected:
  LedgerCountsTest() {
    std::filesystem::remove(path_);
    Open();
  }
  void Open() { ledger_ = Ledger::Open(path_, clock_).value(); }
  std::vector<LedgerEntry> Lines() const { return LedgerLines(path_); }
  void Call(int times, uint64_t bytes = 100) {
    for (int i = 0; i < times; ++i) {
      ASSERT_TRUE(ledger_->CountCall("NextTask", "", bytes).ok());
    }
  }

  const std::string path_ = absl::StrCat(
      testing::TempDir(), "/ledger-",
      testing::UnitTest::GetInstance()->current_test_info()->name());
  SetClock clock_;
  std::unique_ptr<Ledger> ledger_;
};

TEST_F(LedgerCountsTest, FirstCallOfAnHourIsOnDiskAtOnce) {
  Call(1);
  ASSERT_THAT(Lines(), SizeIs(1));
  EXPECT_EQ(Lines()[0].kind(), LedgerEntry::CALLED);
  EXPECT_EQ(Lines()[0].count(), 1u);
  EXPECT_EQ(Lines()[0].bytes(), 100u);
}

TEST_F(LedgerCountsTest, RepeatsAreOneLineWithTheirBytesWhenTheHourTurns) {
  Call(10);
  EXPECT_THAT(Lines(), SizeIs(1));
  clock_.now += absl::Hours(1);
  Call(1, 7);
  const std::vector<LedgerEntry> lines = Lines();
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_EQ(lines[1].count(), 9u);
  EXPECT_EQ(lines[1].bytes(), 900u);
  EXPECT_THAT(lines[1].detail(), HasSubstr("1970-02-11T16:00Z"));
  EXPECT_EQ(lines[2].count(), 1u);
  EXPECT_EQ(lines[2].bytes(), 7u);
}

TEST_F(LedgerCountsTest, WhatWasCalledBeforeStandsBeforeWhatWasSent) {
  Call(3);
  ASSERT_TRUE(ledger_->Append(EntryOf(LedgerEntry::SENT)).ok());
  Call(2);
  const std::vector<LedgerEntry> lines = Lines();
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_EQ(lines[1].kind(), LedgerEntry::CALLED);
  EXPECT_EQ(lines[1].count(), 2u);
  EXPECT_EQ(lines[2].kind(), LedgerEntry::SENT);
  for (size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i].sequence(), i + 1);
  }
}

TEST_F(LedgerCountsTest, EveryByteIsCountedOnceWhateverComesBetween) {
  for (int i = 0; i < 20; ++i) {
    Call(i);
    if (i % 3 == 0) {
      ASSERT_TRUE(ledger_->Append(EntryOf(LedgerEntry::SENT)).ok());
    }
    if (i % 7 == 0) clock_.now += absl::Hours(1);
  }
  ledger_.reset();
  uint64_t count = 0, bytes = 0;
  for (const LedgerEntry& line : Lines()) {
    if (line.kind() != LedgerEntry::CALLED) continue;
    count += line.count();
    bytes += line.bytes();
  }
  EXPECT_EQ(count, 190u);
  EXPECT_EQ(bytes, 19000u);
}

TEST_F(LedgerCountsTest, OneThatEndsWritesItsCounts) {
  Call(5);
  ledger_.reset();
  ASSERT_THAT(Lines(), SizeIs(2));
  EXPECT_EQ(Lines()[1].count(), 4u);
  Open();
  EXPECT_TRUE(ledger_->Flush().ok());
  EXPECT_THAT(Lines(), SizeIs(2));
}

TEST_F(LedgerCountsTest, RefusalsWithoutEndAreAFewLinesAndACount) {
  for (int i = 0; i < 100000; ++i) {
    ASSERT_TRUE(ledger_
                    ->Append(EntryOf(LedgerEntry::ANSWER_REFUSED,
                                     absl::StrCat("another text ", i)))
                    .ok());
  }
  EXPECT_THAT(Lines(), SizeIs(Ledger::kRefusalLines));
  // Other lines between refusals do not reset the count.
  ASSERT_TRUE(ledger_->Append(EntryOf(LedgerEntry::SENT)).ok());
  EXPECT_THAT(Lines(), SizeIs(Ledger::kRefusalLines + 1));
  ASSERT_TRUE(ledger_->Flush().ok());
  const LedgerEntry last = Lines().back();
  EXPECT_EQ(last.kind(), LedgerEntry::ANSWER_REFUSED);
  EXPECT_EQ(last.count(), 100000 - Ledger::kRefusalLines);
}

TEST_F(LedgerCountsTest, RefusalsOfAnotherKindHaveLinesOfTheirOwn) {
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(ledger_->Append(EntryOf(LedgerEntry::ANSWER_REFUSED)).ok());
  }
  ASSERT_TRUE(ledger_->Append(EntryOf(LedgerEntry::GATE_REFUSED, "why")).ok());
  EXPECT_EQ(Lines().back().kind(), LedgerEntry::GATE_REFUSED);
  EXPECT_EQ(Lines().back().detail(), "why");
}

// Such a text cannot be written as JSON; the error must not end the gateway.
TEST_F(LedgerCountsTest, TextThatIsNotUtf8IsWrittenAsNumbers) {
  ASSERT_TRUE(
      ledger_->Append(EntryOf(LedgerEntry::SUM_REFUSED, "\xff\xfe\x1b\n"))
          .ok());
  EXPECT_EQ(Lines()[0].detail(), "\\xFF\\xFE\\x1B\\x0A");
}

// --- The file of an earlier process.

TEST_F(LedgerCountsTest, ALedgerOfYearsIsOpenedByItsEnd) {
  Call(1);
  ledger_.reset();
  // The file is sparse, and far larger than the part that is read into memory.
  constexpr uint64_t kSize = uint64_t{5} << 30;
  {
    const ScopedFd fd(open(path_.c_str(), O_WRONLY | O_CLOEXEC));
    ASSERT_TRUE(WriteAt(fd.get(), kSize,
                        "\n{\"sequence\":\"41\",\"kind\":\"SENT\"}\n{\"seq",
                        path_)
                    .ok());
  }
  Open();
  ASSERT_TRUE(ledger_->Append(EntryOf(LedgerEntry::RECEIPT)).ok());
  const ScopedFd fd(open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  const uint64_t end = std::filesystem::file_size(path_);
  ASSERT_GT(end, kSize);
  std::string tail(end - kSize, '\0');
  ASSERT_TRUE(ReadAt(fd.get(), kSize, tail.data(), tail.size(), path_).ok());
  EXPECT_THAT(tail, HasSubstr("\"kind\":\"SENT\"}\n{\"sequence\":\"42\","));
  EXPECT_THAT(tail, Not(HasSubstr("{\"seq{")));
  std::filesystem::remove(path_);
}

// A line without a sequence number still counts as a line.
TEST_F(LedgerCountsTest, LinesAreCountedWhereTheLastOneCannotBeRead) {
  ledger_.reset();
  ASSERT_TRUE(WriteFileAtomically(path_, "x\ny\nz\ntorn").ok());
  Open();
  ASSERT_TRUE(ledger_->Append(EntryOf(LedgerEntry::RECEIPT)).ok());
  EXPECT_THAT(ReadFile(path_).value(),
              testing::StartsWith("x\ny\nz\n{\"sequence\":\"4\","));
}

}  // namespace
}  // namespace hilum
