// SPDX-License-Identifier: Apache-2.0
#include "coordinator/storage/storage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

namespace hilum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

// A database of version 1, with a study of a and b in its second round.
constexpr char kVersion1[] = R"sql(
CREATE TABLE studies(
  sequence INTEGER PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  study BLOB NOT NULL,
  phase INTEGER NOT NULL,
  reason TEXT NOT NULL,
  frozen BLOB NOT NULL,
  global BLOB NOT NULL);
CREATE TABLE rounds(
  hash BLOB NOT NULL,
  round INTEGER NOT NULL,
  contributors TEXT NOT NULL,
  mean_loss BLOB NOT NULL,
  PRIMARY KEY(hash, round));
CREATE TABLE census(
  hash BLOB NOT NULL, site TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY(hash, site));
CREATE TABLE updates(
  hash BLOB NOT NULL, site TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY(hash, site));
CREATE TABLE evaluations(
  hash BLOB NOT NULL, site TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY(hash, site));
PRAGMA user_version = 1;
INSERT INTO studies(hash, study, phase, reason, frozen, global)
  VALUES(x'6868', x'7373', 2, '', x'', x'0a0267671008');
INSERT INTO rounds VALUES(x'6868', 1, 'a,b', x'000000000000e03f');
INSERT INTO census VALUES(x'6868', 'a', x'2007');
INSERT INTO census VALUES(x'6868', 'b', x'2009');
INSERT INTO updates VALUES(x'6868', 'b', x'12040a027575');
)sql";

class StorageTest : public testing::Test {
 protected:
  StorageTest() {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }

  void Run(const char* sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, &error), SQLITE_OK)
        << (error == nullptr ? "" : error);
    sqlite3_close(database);
  }
  // Loads the studies with a new object each time.
  std::vector<StoredStudy> Load() {
    auto storage = Storage::Open(path_);
    EXPECT_TRUE(storage.ok()) << storage.status();
    return storage.ok() ? (*storage)->LoadStudies().value()
                        : std::vector<StoredStudy>();
  }

  const std::string folder_ = testing::TempDir() + "/storage_test";
  const std::string path_ = folder_ + "/coordinator.db";
};

TEST_F(StorageTest, DatabaseOfTheFirstVersionOpensAndItsStudiesLoad) {
  Run(kVersion1);
  for (int time : {1, 2}) {
    const std::vector<StoredStudy> studies = Load();
    ASSERT_THAT(studies, SizeIs(1)) << time;
    const StoredStudy& study = studies[0];
    EXPECT_EQ(study.hash, "hh");
    EXPECT_EQ(study.study, "ss");
    EXPECT_EQ(study.phase, v1::StudyStatus::TRAINING);
    EXPECT_EQ(study.global.sha256(), "gg");
    EXPECT_EQ(study.global.size(), 8u);
    ASSERT_THAT(study.rounds, SizeIs(1));
    EXPECT_THAT(study.rounds[0].contributors,
                ElementsAre(SiteId("a"), SiteId("b")));
    EXPECT_THAT(study.rounds[0].mean_loss, ElementsAre(0.5));
    EXPECT_THAT(study.census, SizeIs(2));
    EXPECT_EQ(study.census.at(SiteId("b")).census().rows(), 9u);
    EXPECT_EQ(study.updates.at(SiteId("b")).update().sha256(), "uu");
    EXPECT_FALSE(study.census_totals.has_value());
    EXPECT_FALSE(study.evaluation_totals.has_value());
    EXPECT_FALSE(study.sum.has_value());
    EXPECT_FALSE(study.sums.has_value());
    EXPECT_EQ(study.best.size(), 0u);
    EXPECT_TRUE(study.rounds[0].validation_loss.empty());
    EXPECT_TRUE(study.rounds[0].examples.empty());
    EXPECT_THAT(study.rounds[0].Trainers(), SizeIs(2));  // as far as known
  }
}

TEST_F(StorageTest, ExamplesOfARoundAreKeptByTrackAndBySite) {
  {
    auto storage = Storage::Open(path_).value();
    ASSERT_TRUE(storage->AddStudy({.hash = "hh", .study = "ss"}).ok());
    ASSERT_TRUE(storage
                    ->CommitRound("hh",
                                  {.round = 1,
                                   .contributors = {SiteId("a"), SiteId("b")},
                                   .examples = {7, 0, 9},
                                   .site_examples = {16, 0}},
                                  {}, {})
                    .ok());
  }
  const RoundSummary round = Load().at(0).rounds.at(0);
  EXPECT_THAT(round.examples, ElementsAre(7, 0, 9));
  EXPECT_THAT(round.site_examples, ElementsAre(16, 0));
  EXPECT_THAT(round.Trainers(), ElementsAre(SiteId("a")));
  Run("UPDATE rounds SET contributors = 'a'");
  EXPECT_EQ(Storage::Open(path_).value()->LoadStudies().status().code(),
            absl::StatusCode::kDataLoss);
}

TEST_F(StorageTest, ServersStateIsKeptWithTheGlobalItBelongsTo) {
  v1::BlobRef global, optimizer;
  global.set_sha256("new");
  optimizer.set_sha256("state");
  optimizer.set_size(8);
  {
    auto storage = Storage::Open(path_).value();
    ASSERT_TRUE(storage->AddStudy({.hash = "hh", .study = "ss"}).ok());
    EXPECT_EQ(storage->LoadStudies().value().at(0).optimizer.size(), 0u);
    ASSERT_TRUE(
        storage->CommitRound("hh", {.round = 1}, global, {}, nullptr, optimizer)
            .ok());
  }
  const StoredStudy study = Load().at(0);
  EXPECT_EQ(study.global.sha256(), "new");
  EXPECT_EQ(study.optimizer.SerializeAsString(), optimizer.SerializeAsString());
}

TEST_F(StorageTest, ValidationOfARoundAndTheBestGlobalAreKept) {
  v1::BlobRef global, best;
  global.set_sha256("new");
  best.set_sha256("best");
  best.set_size(8);
  {
    auto storage = Storage::Open(path_).value();
    ASSERT_TRUE(storage->AddStudy({.hash = "hh", .study = "ss"}).ok());
    ASSERT_TRUE(storage
                    ->CommitRound("hh",
                                  {.round = 1,
                                   .validation_examples = {3, 0},
                                   .validation_loss = {0.5, std::nan("")}},
                                  global, best)
                    .ok());
  }
  const StoredStudy study = Load().at(0);
  EXPECT_EQ(study.global.sha256(), "new");
  EXPECT_EQ(study.best.SerializeAsString(), best.SerializeAsString());
  EXPECT_THAT(study.rounds[0].validation_examples, ElementsAre(3, 0));
  EXPECT_EQ(study.rounds[0].MeanValidationLoss(), 0.5);
}

// The round has two tracks of one arm.
TEST_F(StorageTest, LossesOfARoundAreKeptByArmAndOddOnesAreUnreadable) {
  {
    auto storage = Storage::Open(path_).value();
    ASSERT_TRUE(storage->AddStudy({.hash = "hh", .study = "ss"}).ok());
    ASSERT_TRUE(storage
                    ->CommitRound("hh",
                                  {.round = 1,
                                   .mean_loss = {0.75},
                                   .validation_examples = {3, 1},
                                   .validation_loss = {0.5}},
                                  {}, {})
                    .ok());
  }
  const StoredStudy study = Load().at(0);
  EXPECT_THAT(study.rounds[0].mean_loss, ElementsAre(0.75));
  EXPECT_THAT(study.rounds[0].validation_examples, ElementsAre(3, 1));
  EXPECT_THAT(study.rounds[0].validation_loss, ElementsAre(0.5));
  Run("UPDATE rounds SET validation_examples = x''");
  EXPECT_EQ(Storage::Open(path_).value()->LoadStudies().status().code(),
            absl::StatusCode::kDataLoss);
}

TEST_F(StorageTest, DatabaseOfTheFirstVersionTakesSumsAndTotals) {
  Run(kVersion1);
  v1::CensusTotals totals;
  totals.set_rows(16);
  v1::SumsRecord sums;
  sums.mutable_census_sum()->set_sha256("sum");
  {
    auto storage = Storage::Open(path_).value();
    ASSERT_TRUE(storage->PutSum("hh", v1::SecureSumRecord()).ok());
    ASSERT_TRUE(storage->CommitTotals("hh", totals, sums).ok());
  }
  const StoredStudy study = Load().at(0);
  EXPECT_EQ(study.census_totals->rows(), 16u);
  EXPECT_EQ(study.sums->SerializeAsString(), sums.SerializeAsString());
  EXPECT_FALSE(study.sum.has_value());
}

TEST_F(StorageTest, DatabaseOfANewerVersionIsRefused) {
  Run("PRAGMA user_version = 7");
  const absl::Status opened = Storage::Open(path_).status();
  EXPECT_EQ(opened.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(opened.message()), HasSubstr("schema 7"));
}

TEST_F(StorageTest, SumIsKeptUntilWhatItGaveIsStored) {
  v1::SecureSumRecord record;
  record.set_round(1);
  record.set_sum_id("first");
  const auto stored = [&] { return Load().at(0).sum; };
  {
    auto storage = Storage::Open(path_).value();
    ASSERT_TRUE(storage->AddStudy({.hash = "hh", .study = "ss"}).ok());
    ASSERT_TRUE(storage->PutSum("hh", record).ok());
    record.set_sum_id("second");  // replaces the first
    ASSERT_TRUE(storage->PutSum("hh", record).ok());
  }
  ASSERT_TRUE(stored().has_value());
  EXPECT_EQ(stored()->sum_id(), "second");
  {
    auto storage = Storage::Open(path_).value();
    ASSERT_TRUE(storage->CommitRound("hh", {.round = 1}, {}, {}).ok());
  }
  EXPECT_FALSE(stored().has_value());
  {
    auto storage = Storage::Open(path_).value();
    ASSERT_TRUE(storage->PutSum("hh", record).ok());
    ASSERT_TRUE(storage->CommitTotals("hh", v1::EvaluationTotals()).ok());
  }
  EXPECT_FALSE(stored().has_value());
  EXPECT_TRUE(Load().at(0).evaluation_totals.has_value());
}

TEST_F(StorageTest, WhatIsKeptOfSumsChangesWithARoundWhoseSumCameAbout) {
  v1::SumsRecord sums;
  const auto stored = [&] { return Load().at(0).sums->round(); };
  {
    auto storage = Storage::Open(path_).value();
    ASSERT_TRUE(storage->AddStudy({.hash = "hh", .study = "ss"}).ok());
    ASSERT_TRUE(storage->CommitTotals("hh", v1::CensusTotals(), sums).ok());
    sums.set_round(1);
    ASSERT_TRUE(storage->CommitRound("hh", {.round = 1}, {}, {}, &sums).ok());
  }
  EXPECT_EQ(stored(), 1u);
  {
    auto storage = Storage::Open(path_).value();
    // The second round's sum was lost.
    ASSERT_TRUE(storage->CommitRound("hh", {.round = 2}, {}, {}).ok());
    ASSERT_TRUE(storage->CommitTotals("hh", v1::EvaluationTotals()).ok());
  }
  EXPECT_EQ(stored(), 1u);
}

// SQLite would parse such a path as a URI if URIs were enabled.
TEST(StoragePathTest, AFolderMayHaveAnyName) {
  for (const char* name : {"s#1", "s?x", "s%20x", "s x"}) {
    const std::string folder =
        absl::StrCat(testing::TempDir(), "storage-", getpid(), "/", name);
    std::filesystem::create_directories(folder);
    EXPECT_TRUE(Storage::Open(folder + "/coordinator.db").ok()) << name;
    EXPECT_TRUE(std::filesystem::exists(folder + "/coordinator.db")) << name;
    std::filesystem::remove_all(folder);
  }
}

}  // namespace
}  // namespace hilum
