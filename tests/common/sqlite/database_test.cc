// SPDX-License-Identifier: Apache-2.0
#include "common/sqlite/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "common/sqlite/statement.h"

namespace hilum {
namespace {

using testing::HasSubstr;

constexpr const char* kMigrations[] = {
    "CREATE TABLE cases(name TEXT); PRAGMA user_version = 1;",
    "ALTER TABLE cases ADD COLUMN age INTEGER; PRAGMA user_version = 2;"};

struct Close {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
using Database = std::unique_ptr<sqlite3, Close>;

class DatabaseTest : public testing::Test {
 protected:
  DatabaseTest()
      : folder_(absl::StrCat(testing::TempDir(), "database-", getpid())),
        path_(folder_ + "/x.db") {
    std::filesystem::create_directories(folder_);
  }
  ~DatabaseTest() override { std::filesystem::remove_all(folder_); }

  absl::StatusOr<Database> Open(absl::Span<const char* const> migrations) {
    auto opened = OpenDatabase(path_, "hilum-tester", migrations);
    if (!opened.ok()) return opened.status();
    return Database(*opened);
  }

  const std::string folder_;
  const std::string path_;
};

TEST_F(DatabaseTest, OldSchemaIsBroughtToTheNewestWithItsRows) {
  {
    const Database old = Open({kMigrations, 1}).value();
    ASSERT_TRUE(
        ExecuteSql(old.get(), path_, "INSERT INTO cases VALUES('a')").ok());
  }
  for (int time : {1, 2}) {  // the second finds nothing to do
    auto opened = Open(kMigrations);
    ASSERT_TRUE(opened.ok()) << opened.status() << time;
    Statement read(opened->get(), path_, "SELECT name, age FROM cases");
    ASSERT_TRUE(read.Step());
    EXPECT_EQ(read.Bytes(0), "a");
  }
}

TEST_F(DatabaseTest, NewerSchemaIsLeftAloneAndItsProgramIsNamed) {
  Open(kMigrations).value().reset();
  const absl::Status status = Open({kMigrations, 1}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("a newer hilum-tester (schema 2, this one knows 1)"));
  EXPECT_TRUE(Open(kMigrations).ok());
}

// A committed row must be on disk after a loss of power.
TEST_F(DatabaseTest, WritesAheadAndSyncs) {
  const Database database = Open(kMigrations).value();
  Statement mode(database.get(), path_, "PRAGMA journal_mode");
  ASSERT_TRUE(mode.Step());
  EXPECT_EQ(mode.Bytes(0), "wal");
  Statement sync(database.get(), path_, "PRAGMA synchronous");
  ASSERT_TRUE(sync.Step());
  EXPECT_EQ(sync.Number(0), 2);  // FULL
}

TEST_F(DatabaseTest, MigrationThatFailsHalfWayLeavesNothing) {
  constexpr const char* kBad[] = {
      "CREATE TABLE cases(name TEXT); CREATE TABLE cases(name TEXT);"};
  EXPECT_FALSE(Open(kBad).ok());
  EXPECT_TRUE(Open(kMigrations).ok());
}

TEST_F(DatabaseTest, FileThatIsNoDatabaseIsDataLossByName) {
  std::ofstream(path_) << std::string(4096, 'x');
  const absl::Status status = Open(kMigrations).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr(path_));
}

}  // namespace
}  // namespace hilum
