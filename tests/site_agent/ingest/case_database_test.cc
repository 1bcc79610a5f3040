// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/case_database.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

class CaseDatabaseTest : public testing::Test {
 protected:
  CaseDatabaseTest()
      : path_(absl::StrCat(testing::TempDir(), "/case_database_", getpid(),
                           ".db")) {
    Remove();
  }
  ~CaseDatabaseTest() override { Remove(); }

  void Remove() const {
    for (const char* end : {"", "-wal", "-shm"}) {
      std::filesystem::remove(path_ + end);
    }
  }
  std::unique_ptr<CaseDatabase> Open() const {
    auto database = CaseDatabase::Open(path_);
    EXPECT_TRUE(database.ok()) << database.status();
    return database.ok() ? *std::move(database) : nullptr;
  }

  std::string path_;
};

Source FilmSource(const std::string& name) {
  Source source{.id = "0123456789abcdef",
                .name = name,
                .stamp = {7, 8},
                .case_id = "fedcba9876543210",
                .patient = "p",
                .judged_by = "words"};
  source.keys.of[kSopColumn] = std::string("\0sop", 4);
  return source;
}

TEST_F(CaseDatabaseTest, ASourceIsGivenBackAsItWasPut) {
  const std::string name("/in/\xff\n1.dcm");  // any bytes but NUL and /
  {
    auto database = Open();
    ASSERT_TRUE(database->Begin().ok());
    ASSERT_TRUE(database->PutSource(FilmSource(name)).ok());
    ASSERT_TRUE(database->Commit().ok());
  }
  auto database = Open();
  const auto source = database->FindSource(name).value();
  ASSERT_TRUE(source.has_value());
  EXPECT_EQ(source->stamp, (FileStamp{7, 8}));
  EXPECT_EQ(source->case_id, "fedcba9876543210");
  EXPECT_EQ(source->judged_by, "words");
  EXPECT_EQ(source->keys.of[kSopColumn], std::string("\0sop", 4));
  EXPECT_TRUE(database->FindSourceById("0123456789abcdef")->has_value());
  EXPECT_FALSE(database->FindSource("/in/2.dcm")->has_value());
}

TEST_F(CaseDatabaseTest, WhatIsRolledBackOrNotCommittedIsNotThere) {
  {
    auto database = Open();
    ASSERT_TRUE(database->Begin().ok());
    ASSERT_TRUE(database->PutSource(FilmSource("/in/1.dcm")).ok());
    ASSERT_TRUE(database->Rollback().ok());
    EXPECT_FALSE(database->FindSource("/in/1.dcm")->has_value());
    ASSERT_TRUE(database->Begin().ok());
    ASSERT_TRUE(database->SetEnd({2, 77}).ok());
  }
  EXPECT_EQ(Open()->End()->number, 1);
}

TEST_F(CaseDatabaseTest, PutReplacesTheSourceOfThatNameAlone) {
  auto database = Open();
  Source one = FilmSource("/in/1.dcm"), two = FilmSource("/in/2.dcm");
  ASSERT_TRUE(database->PutSource(one).ok());
  ASSERT_TRUE(database->PutSource(two).ok());
  one.patient = "q";
  ASSERT_TRUE(database->PutSource(one).ok());
  const auto sources = database->SourcesOf("fedcba9876543210").value();
  ASSERT_EQ(sources.size(), 2u);
  EXPECT_EQ(database->FindSource("/in/1.dcm").value()->patient, "q");
  EXPECT_EQ(database->FindSource("/in/2.dcm").value()->patient, "p");
  // Another source than the one that asks.
  const std::string sop("\0sop", 4);
  EXPECT_EQ(database->CaseOfSop(sop, "/in/1.dcm").value(), "fedcba9876543210");
  ASSERT_TRUE(database->ForgetSource("/in/2.dcm").ok());
  EXPECT_EQ(database->CaseOfSop(sop, "/in/1.dcm").value(), "");
}

TEST_F(CaseDatabaseTest, CasesAndHistoryKeepTheOrderInWhichTheyCame) {
  auto database = Open();
  for (const char* id : {"b", "a", "c"}) {
    ASSERT_TRUE(database
                    ->PutCase({.id = id,
                               .digest = "d",
                               .turn = {3, true},
                               .place = {1, 5},
                               .histogram = "h"})
                    .ok());
    ASSERT_TRUE(
        database
            ->AddHistory("a", {.time = absl::FromUnixSeconds(5), .actor = id})
            .ok());
  }
  std::string order;
  ASSERT_TRUE(
      database->ForEachCase([&](const StoredCase& c) { order += c.id; }).ok());
  EXPECT_EQ(order, "bac");
  EXPECT_EQ(database->FindCase("a").value()->turn, (Turn{3, true}));
  EXPECT_EQ(database->FindCase("a").value()->place.bytes, 5u);
  const auto history = database->HistoryOf("a").value();
  ASSERT_EQ(history.size(), 3u);
  EXPECT_EQ(history[0].actor, "b");
  EXPECT_EQ(history[2].actor, "c");
  EXPECT_EQ(history[0].time, absl::FromUnixSeconds(5));
  EXPECT_TRUE(database->HistoryOf("b")->empty());
}

// An older program would lose what it does not know of.
TEST_F(CaseDatabaseTest, ANewerProgramsIsRefusedAndNamesTheFile) {
  ASSERT_NE(Open(), nullptr);
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &raw), SQLITE_OK);
  ASSERT_EQ(
      sqlite3_exec(raw, "PRAGMA user_version = 99", nullptr, nullptr, nullptr),
      SQLITE_OK);
  sqlite3_close(raw);
  const absl::Status newer = CaseDatabase::Open(path_).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(newer)) << newer;
  EXPECT_TRUE(absl::StrContains(newer.message(), path_)) << newer;
}

}  // namespace
}  // namespace hilum
