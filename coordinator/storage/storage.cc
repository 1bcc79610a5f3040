// SPDX-License-Identifier: Apache-2.0
#include "coordinator/storage/storage.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/status_macros.h"
#include "common/sqlite/database.h"
#include "common/sqlite/statement.h"

namespace hilum {
namespace {

// Migrations: to schema version 1, from 1 to 2, ...
constexpr const char* kMigrations[] = {R"sql(
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
)sql",
                                       R"sql(
CREATE TABLE totals(
  hash BLOB NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY(hash, kind));
CREATE TABLE sums(hash BLOB PRIMARY KEY, body BLOB NOT NULL);
PRAGMA user_version = 2;
)sql",
                                       R"sql(
ALTER TABLE studies ADD COLUMN best BLOB NOT NULL DEFAULT x'';
ALTER TABLE rounds ADD COLUMN validation_examples BLOB NOT NULL DEFAULT x'';
ALTER TABLE rounds ADD COLUMN validation_loss BLOB NOT NULL DEFAULT x'';
PRAGMA user_version = 3;
)sql",
                                       R"sql(
ALTER TABLE rounds ADD COLUMN examples BLOB NOT NULL DEFAULT x'';
ALTER TABLE rounds ADD COLUMN site_examples BLOB NOT NULL DEFAULT x'';
PRAGMA user_version = 4;
)sql",
                                       R"sql(
ALTER TABLE studies ADD COLUMN optimizer BLOB NOT NULL DEFAULT x'';
PRAGMA user_version = 5;
)sql",
                                       // form 0: a SubmitCensusRequest,
                                       // 1: a CensusRecord.
                                       R"sql(
ALTER TABLE census ADD COLUMN form INTEGER NOT NULL DEFAULT 0;
PRAGMA user_version = 6;
)sql"};

// Value is double or uint64_t.
template <typename Value>
std::string Pack(const std::vector<Value>& values) {
  static_assert(sizeof(Value) == 8);
  return std::string(reinterpret_cast<const char*>(values.data()),
                     values.size() * sizeof(Value));
}

template <typename Value>
std::vector<Value> Unpack(const std::string& bytes) {
  std::vector<Value> values(bytes.size() / sizeof(Value));
  if (!values.empty()) {
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(Value));
  }
  return values;
}

}  // namespace

Storage::Storage(sqlite3* database, std::string path)
    : database_(database), path_(std::move(path)) {}

Storage::~Storage() { sqlite3_close_v2(database_); }

absl::StatusOr<std::unique_ptr<Storage>> Storage::Open(
    const std::string& path) {
  HILUM_ASSIGN_OR_RETURN(sqlite3 * database,
                         OpenDatabase(path, "hilum-coordinator", kMigrations));
  return std::unique_ptr<Storage>(new Storage(database, path));
}

absl::Status Storage::Execute(const char* sql) {
  return ExecuteSql(database_, path_, sql);
}

absl::Status Storage::AddStudy(const StoredStudy& study) {
  return Statement(database_, path_,
                   "INSERT INTO studies(hash, study, phase, reason, frozen, "
                   "global, best) VALUES(?, ?, ?, ?, ?, ?, ?)")
      .Blob(study.hash)
      .Blob(study.study)
      .Int(study.phase)
      .Text(study.reason)
      .Blob(study.frozen.SerializeAsString())
      .Blob(study.global.SerializeAsString())
      .Blob(study.best.SerializeAsString())
      .Run();
}

template <typename Message>
absl::Status Storage::LoadMessages(const char* table, absl::string_view hash,
                                   std::map<SiteId, Message>& messages) {
  std::string sql =
      absl::StrCat("SELECT site, body FROM ", table, " WHERE hash = ?");
  Statement rows(database_, path_, sql.c_str());
  rows.Blob(hash);
  while (rows.Step()) {
    if (!messages[SiteId(rows.Bytes(0))].ParseFromString(rows.Bytes(1))) {
      return absl::DataLossError(
          absl::StrCat(path_, ": unreadable row in table ", table));
    }
  }
  return rows.status();
}

template <typename Message>
absl::Status Storage::LoadMessage(const char* sql, absl::string_view hash,
                                  std::optional<Message>& message) {
  Statement row(database_, path_, sql);
  row.Blob(hash);
  if (row.Step() && !message.emplace().ParseFromString(row.Bytes(0))) {
    return absl::DataLossError(
        absl::StrCat(path_, ": unreadable row of ", sql));
  }
  return row.status();
}

absl::Status Storage::LoadCensus(StoredStudy& study) {
  Statement rows(database_, path_,
                 "SELECT site, body, form FROM census WHERE hash = ?");
  rows.Blob(study.hash);
  while (rows.Step()) {
    v1::CensusRecord& record = study.census[SiteId(rows.Bytes(0))];
    if (rows.Number(2) == 1) {
      if (record.ParseFromString(rows.Bytes(1))) continue;
    } else if (record.mutable_census()->ParseFromString(rows.Bytes(1))) {
      // An earlier release has put both into the census.
      record.set_counts_from_round(record.census().header().round());
      record.set_withdrawn(record.census().unable());
      continue;
    }
    return absl::DataLossError(
        absl::StrCat(path_, ": unreadable row in table census"));
  }
  return rows.status();
}

absl::Status Storage::LoadRounds(StoredStudy& study) {
  Statement rows(database_, path_,
                 "SELECT round, contributors, mean_loss, validation_examples, "
                 "validation_loss, examples, site_examples FROM rounds "
                 "WHERE hash = ? ORDER BY round");
  rows.Blob(study.hash);
  while (rows.Step()) {
    RoundSummary summary{.round = static_cast<uint32_t>(rows.Number(0)),
                         .mean_loss = Unpack<double>(rows.Bytes(2)),
                         .validation_examples = Unpack<uint64_t>(rows.Bytes(3)),
                         .validation_loss = Unpack<double>(rows.Bytes(4)),
                         .examples = Unpack<uint64_t>(rows.Bytes(5)),
                         .site_examples = Unpack<uint64_t>(rows.Bytes(6))};
    std::string names = rows.Bytes(1);
    for (absl::string_view name :
         absl::StrSplit(names, ',', absl::SkipEmpty())) {
      summary.contributors.emplace_back(std::string(name));
    }
    if (!summary.HasFittingLengths()) {
      return absl::DataLossError(
          absl::StrCat(path_, ": unreadable round ", summary.round));
    }
    study.rounds.push_back(std::move(summary));
  }
  return rows.status();
}

absl::StatusOr<std::vector<StoredStudy>> Storage::LoadStudies() {
  std::vector<StoredStudy> studies;
  Statement rows(database_, path_,
                 "SELECT hash, study, phase, reason, frozen, global, best, "
                 "optimizer FROM studies ORDER BY sequence");
  while (rows.Step()) {
    StoredStudy study{
        .hash = rows.Bytes(0),
        .study = rows.Bytes(1),
        .phase = static_cast<v1::StudyStatus::Phase>(rows.Number(2)),
        .reason = rows.Bytes(3)};
    if (!study.frozen.ParseFromString(rows.Bytes(4)) ||
        !study.global.ParseFromString(rows.Bytes(5)) ||
        !study.best.ParseFromString(rows.Bytes(6)) ||
        !study.optimizer.ParseFromString(rows.Bytes(7))) {
      return absl::DataLossError(absl::StrCat(path_, ": unreadable study"));
    }
    HILUM_RETURN_IF_ERROR(LoadRounds(study));
    HILUM_RETURN_IF_ERROR(LoadCensus(study));
    HILUM_RETURN_IF_ERROR(LoadMessages("updates", study.hash, study.updates));
    HILUM_RETURN_IF_ERROR(
        LoadMessages("evaluations", study.hash, study.evaluations));
    HILUM_RETURN_IF_ERROR(LoadMessage(
        "SELECT body FROM totals WHERE kind = 'census' AND hash = ?",
        study.hash, study.census_totals));
    HILUM_RETURN_IF_ERROR(LoadMessage(
        "SELECT body FROM totals WHERE kind = 'evaluation' AND hash = ?",
        study.hash, study.evaluation_totals));
    HILUM_RETURN_IF_ERROR(
        LoadMessage("SELECT body FROM totals WHERE kind = 'sums' AND hash = ?",
                    study.hash, study.sums));
    HILUM_RETURN_IF_ERROR(LoadMessage("SELECT body FROM sums WHERE hash = ?",
                                      study.hash, study.sum));
    studies.push_back(std::move(study));
  }
  HILUM_RETURN_IF_ERROR(rows.status());
  return studies;
}

absl::Status Storage::SetPhase(absl::string_view hash,
                               v1::StudyStatus::Phase phase,
                               absl::string_view reason) {
  return Statement(database_, path_,
                   "UPDATE studies SET phase = ?, reason = ? WHERE hash = ?")
      .Int(phase)
      .Text(reason)
      .Blob(hash)
      .Run();
}

absl::Status Storage::PutMessage(const char* table, absl::string_view hash,
                                 const SiteId& site,
                                 const google::protobuf::Message& message) {
  std::string sql = absl::StrCat("INSERT OR REPLACE INTO ", table,
                                 "(hash, site, body) VALUES(?, ?, ?)");
  return Statement(database_, path_, sql.c_str())
      .Blob(hash)
      .Text(site.name())
      .Blob(message.SerializeAsString())
      .Run();
}

absl::Status Storage::PutCensus(absl::string_view hash, const SiteId& site,
                                const v1::CensusRecord& census) {
  return Statement(database_, path_,
                   "INSERT OR REPLACE INTO census(hash, site, body, form) "
                   "VALUES(?, ?, ?, 1)")
      .Blob(hash)
      .Text(site.name())
      .Blob(census.SerializeAsString())
      .Run();
}

absl::Status Storage::PutUpdate(absl::string_view hash, const SiteId& site,
                                const v1::SubmitUpdateRequest& update) {
  return PutMessage("updates", hash, site, update);
}

absl::Status Storage::PutEvaluation(
    absl::string_view hash, const SiteId& site,
    const v1::SubmitEvaluationRequest& evaluation) {
  return PutMessage("evaluations", hash, site, evaluation);
}

absl::Status Storage::Transaction(absl::FunctionRef<absl::Status()> changes) {
  HILUM_RETURN_IF_ERROR(Execute("BEGIN IMMEDIATE"));
  absl::Status status = changes();
  if (status.ok()) status = Execute("COMMIT");
  // Ends the transaction also after a failed COMMIT (disk full).
  if (!status.ok()) Execute("ROLLBACK").IgnoreError();
  return status;
}

absl::Status Storage::ForgetAnswers(absl::string_view hash) {
  absl::Status status =
      Statement(database_, path_, "DELETE FROM updates WHERE hash = ?")
          .Blob(hash)
          .Run();
  status.Update(Statement(database_, path_, "DELETE FROM sums WHERE hash = ?")
                    .Blob(hash)
                    .Run());
  return status;
}

absl::Status Storage::CommitRound(absl::string_view hash,
                                  const RoundSummary& round,
                                  const v1::BlobRef& global,
                                  const v1::BlobRef& best,
                                  const v1::SumsRecord* sums,
                                  const v1::BlobRef& optimizer) {
  std::string contributors = absl::StrJoin(
      round.contributors, ",",
      [](std::string* out, const SiteId& site) { out->append(site.name()); });
  return Transaction([&] {
    absl::Status status =
        Statement(database_, path_,
                  "INSERT INTO rounds(hash, round, contributors, mean_loss, "
                  "validation_examples, validation_loss, examples, "
                  "site_examples) VALUES(?, ?, ?, ?, ?, ?, ?, ?)")
            .Blob(hash)
            .Int(round.round)
            .Text(contributors)
            .Blob(Pack(round.mean_loss))
            .Blob(Pack(round.validation_examples))
            .Blob(Pack(round.validation_loss))
            .Blob(Pack(round.examples))
            .Blob(Pack(round.site_examples))
            .Run();
    status.Update(Statement(database_, path_,
                            "UPDATE studies SET global = ?, best = ?, "
                            "optimizer = ? WHERE hash = ?")
                      .Blob(global.SerializeAsString())
                      .Blob(best.SerializeAsString())
                      .Blob(optimizer.SerializeAsString())
                      .Blob(hash)
                      .Run());
    if (sums != nullptr) status.Update(InsertTotals("sums", hash, *sums));
    status.Update(ForgetAnswers(hash));
    return status;
  });
}

absl::Status Storage::PutSum(absl::string_view hash,
                             const v1::SecureSumRecord& record) {
  return Statement(database_, path_,
                   "INSERT OR REPLACE INTO sums(hash, body) VALUES(?, ?)")
      .Blob(hash)
      .Blob(record.SerializeAsString())
      .Run();
}

absl::Status Storage::InsertTotals(const char* kind, absl::string_view hash,
                                   const google::protobuf::Message& totals) {
  return Statement(
             database_, path_,
             "INSERT OR REPLACE INTO totals(hash, kind, body) VALUES(?, ?, ?)")
      .Blob(hash)
      .Text(kind)
      .Blob(totals.SerializeAsString())
      .Run();
}

absl::Status Storage::CommitTotals(absl::string_view hash,
                                   const v1::CensusTotals& totals,
                                   const v1::SumsRecord& sums) {
  return Transaction([&] {
    absl::Status status = InsertTotals("census", hash, totals);
    status.Update(InsertTotals("sums", hash, sums));
    status.Update(ForgetAnswers(hash));
    return status;
  });
}

absl::Status Storage::CommitTotals(absl::string_view hash,
                                   const v1::EvaluationTotals& totals) {
  return Transaction([&] {
    absl::Status status = InsertTotals("evaluation", hash, totals);
    status.Update(ForgetAnswers(hash));
    return status;
  });
}

}  // namespace hilum
