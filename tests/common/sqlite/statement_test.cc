// SPDX-License-Identifier: Apache-2.0
#include "common/sqlite/statement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/sqlite/database.h"

namespace hilum {
namespace {

constexpr char kInsert[] = "INSERT INTO cases VALUES(?, ?, ?)";

class StatementTest : public testing::Test {
 protected:
  StatementTest() {
    constexpr const char* kMigrations[] = {
        "CREATE TABLE cases(name TEXT UNIQUE NOT NULL, age INTEGER, body BLOB);"
        "PRAGMA user_version = 1;"};
    database_ = OpenDatabase(":memory:", "test", kMigrations).value();
  }
  ~StatementTest() override { sqlite3_close_v2(database_); }

  absl::Status Insert(absl::string_view name, int64_t age,
                      absl::string_view body) {
    return Statement(database_, "x.db", kInsert)
        .Text(name)
        .Int(age)
        .Blob(body)
        .Run();
  }

  sqlite3* database_ = nullptr;
};

TEST_F(StatementTest, ValuesComeBackAsTheyWereBoundFromLeftToRight) {
  const std::string body("\0\xff\0", 3);
  ASSERT_TRUE(Insert("a", int64_t{1} << 40, body).ok());
  ASSERT_TRUE(Insert("b", -1, "").ok());
  Statement read(database_, "x.db",
                 "SELECT name, age, body FROM cases ORDER BY name");
  ASSERT_TRUE(read.Step());
  EXPECT_EQ(read.Bytes(0), "a");
  EXPECT_EQ(read.Number(1), int64_t{1} << 40);
  EXPECT_EQ(read.Bytes(2), body);
  ASSERT_TRUE(read.Step());
  EXPECT_EQ(read.Number(1), -1);
  EXPECT_FALSE(read.Step());
  EXPECT_TRUE(read.status().ok());
}

// Bound as NULL, they would break NOT NULL.
TEST_F(StatementTest, EmptyTextsAreNotNull) {
  EXPECT_TRUE(Insert(absl::string_view(), 0, absl::string_view()).ok());
}

TEST_F(StatementTest, SecondRowOfAUniqueNameAlreadyExists) {
  ASSERT_TRUE(Insert("a", 1, "").ok());
  const absl::Status status = Insert("a", 2, "");
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("x.db"));
}

TEST_F(StatementTest, StatementThatSqliteCannotReadGivesNoRowsAndAnError) {
  Statement bad(database_, "x.db", "SELECT nothing FROM nowhere");
  EXPECT_FALSE(bad.Step());
  EXPECT_EQ(bad.status().code(), absl::StatusCode::kInternal);
}

TEST_F(StatementTest, ParameterTooManyIsAnErrorOfRun) {
  EXPECT_FALSE(
      Statement(database_, "x.db", "DELETE FROM cases").Int(1).Run().ok());
}

}  // namespace
}  // namespace hilum
