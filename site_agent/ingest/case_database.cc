// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/case_database.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/status_macros.h"
#include "common/sqlite/database.h"
#include "common/sqlite/statement.h"

namespace hilum {
namespace {

constexpr char kSchema[] = R"sql(
CREATE TABLE notes(name TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE sources(
  sequence INTEGER PRIMARY KEY,
  id TEXT NOT NULL, name BLOB NOT NULL UNIQUE,
  size INTEGER NOT NULL, modified INTEGER NOT NULL, walked INTEGER NOT NULL,
  refusal INTEGER NOT NULL, reason TEXT NOT NULL,
  case_id TEXT NOT NULL, patient TEXT NOT NULL, chosen INTEGER NOT NULL,
  key_file BLOB NOT NULL, key_patient BLOB NOT NULL, key_issuer BLOB NOT NULL,
  key_study BLOB NOT NULL, key_accession BLOB NOT NULL, key_sop BLOB NOT NULL);
CREATE INDEX sources_by_case ON sources(case_id);
CREATE INDEX sources_by_id ON sources(id);
CREATE INDEX sources_by_sop ON sources(key_sop);
CREATE TABLE cases(
  sequence INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE, digest BLOB NOT NULL,
  state INTEGER NOT NULL, reason TEXT NOT NULL, held TEXT NOT NULL,
  label TEXT NOT NULL, patient TEXT NOT NULL, view TEXT NOT NULL,
  rows INTEGER NOT NULL, columns INTEGER NOT NULL,
  shard INTEGER NOT NULL, offset INTEGER NOT NULL,
  has_mask INTEGER NOT NULL, lung_millionths INTEGER NOT NULL,
  histogram BLOB NOT NULL);
CREATE TABLE labels(
  columns INTEGER NOT NULL, key BLOB NOT NULL, label TEXT NOT NULL,
  patient TEXT NOT NULL, problem TEXT NOT NULL,
  PRIMARY KEY(columns, key)) WITHOUT ROWID;
CREATE TABLE shard_end(
  one INTEGER PRIMARY KEY, number INTEGER NOT NULL, bytes INTEGER NOT NULL);
CREATE TABLE history(
  sequence INTEGER PRIMARY KEY, subject TEXT NOT NULL, time INTEGER NOT NULL,
  actor TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL,
  reason TEXT NOT NULL);
CREATE INDEX history_by_subject ON history(subject);
PRAGMA user_version = 1;
)sql";

constexpr char kLookSchema[] = R"sql(
ALTER TABLE cases ADD COLUMN look TEXT NOT NULL DEFAULT '';
ALTER TABLE cases ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
PRAGMA user_version = 2;
)sql";

constexpr char kJudgedBySchema[] = R"sql(
ALTER TABLE sources ADD COLUMN judged_by TEXT NOT NULL DEFAULT '';
PRAGMA user_version = 3;
)sql";

constexpr char kSourceColumns[] =
    "id, name, size, modified, walked, refusal, reason, case_id, patient, "
    "chosen, key_file, key_patient, key_issuer, key_study, key_accession, "
    "key_sop, judged_by";

Source SourceAt(const Statement& row) {
  Source source{.id = row.Bytes(0),
                .name = row.Bytes(1),
                .stamp = {row.Number(2), row.Number(3)},
                .walked = row.Number(4) != 0,
                .refusal = static_cast<Refusal>(row.Number(5)),
                .reason = row.Bytes(6),
                .case_id = row.Bytes(7),
                .patient = row.Bytes(8),
                .chosen = row.Number(9) != 0};
  for (int i = 0; i < kNumLabelColumns; ++i) {
    source.keys.of[i] = row.Bytes(10 + i);
  }
  source.judged_by = row.Bytes(10 + kNumLabelColumns);
  return source;
}

constexpr char kCaseColumns[] =
    "id, digest, state, reason, held, label, patient, view, rows, columns, "
    "shard, offset, has_mask, lung_millionths, histogram, look, turn";

StoredCase CaseAt(const Statement& row) {
  return {.id = row.Bytes(0),
          .digest = row.Bytes(1),
          .state = static_cast<CaseState>(row.Number(2)),
          .reason = row.Bytes(3),
          .held = row.Bytes(4),
          .look = row.Bytes(15),
          .turn = TurnOfIndex(static_cast<int>(row.Number(16) & 7)),
          .label = row.Bytes(5),
          .patient = row.Bytes(6),
          .view = row.Bytes(7),
          .rows = static_cast<int>(row.Number(8)),
          .columns = static_cast<int>(row.Number(9)),
          .place = {static_cast<int>(row.Number(10)),
                    static_cast<uint64_t>(row.Number(11))},
          .has_mask = row.Number(12) != 0,
          .lung_millionths = static_cast<int>(row.Number(13)),
          .histogram = row.Bytes(14)};
}

}  // namespace

absl::string_view NameOf(CaseState state) {
  switch (state) {
    case CaseState::kReady:
      return "ready";
    case CaseState::kUnlabelled:
      return "unlabelled";
    default:
      return "quarantined";
  }
}

CaseDatabase::CaseDatabase(sqlite3* database, std::string path)
    : database_(database), path_(std::move(path)) {}

CaseDatabase::~CaseDatabase() { sqlite3_close_v2(database_); }

absl::StatusOr<std::unique_ptr<CaseDatabase>> CaseDatabase::Open(
    const std::string& path) {
  HILUM_ASSIGN_OR_RETURN(sqlite3 * database,
                         OpenDatabase(path, "hilum-ingest",
                                      {kSchema, kLookSchema, kJudgedBySchema}));
  return std::unique_ptr<CaseDatabase>(new CaseDatabase(database, path));
}

absl::Status CaseDatabase::Execute(const char* sql) {
  return ExecuteSql(database_, path_, sql);
}

absl::Status CaseDatabase::Begin() { return Execute("BEGIN IMMEDIATE"); }
absl::Status CaseDatabase::Commit() { return Execute("COMMIT"); }
absl::Status CaseDatabase::Rollback() { return Execute("ROLLBACK"); }

absl::StatusOr<std::string> CaseDatabase::Note(absl::string_view name) {
  Statement row(database_, path_, "SELECT value FROM notes WHERE name = ?");
  std::string value;
  if (row.Text(name).Step()) value = row.Bytes(0);
  HILUM_RETURN_IF_ERROR(row.status());
  return value;
}

absl::Status CaseDatabase::SetNote(absl::string_view name,
                                   absl::string_view value) {
  return Statement(database_, path_,
                   "INSERT OR REPLACE INTO notes(name, value) VALUES(?, ?)")
      .Text(name)
      .Blob(value)
      .Run();
}

absl::StatusOr<std::optional<Source>> CaseDatabase::OneSource(
    const char* where, absl::string_view value) {
  const std::string sql =
      absl::StrCat("SELECT ", kSourceColumns, " FROM sources WHERE ", where);
  Statement row(database_, path_, sql.c_str());
  std::optional<Source> source;
  if (row.Blob(value).Step()) source = SourceAt(row);
  HILUM_RETURN_IF_ERROR(row.status());
  return source;
}

absl::StatusOr<std::optional<Source>> CaseDatabase::FindSource(
    absl::string_view name) {
  return OneSource("name = ?", name);
}

absl::StatusOr<std::optional<Source>> CaseDatabase::FindSourceById(
    absl::string_view id) {
  return OneSource("id = CAST(? AS TEXT)", id);
}

absl::StatusOr<std::vector<Source>> CaseDatabase::SourcesOf(
    absl::string_view case_id) {
  const std::string sql =
      absl::StrCat("SELECT ", kSourceColumns,
                   " FROM sources WHERE case_id = ? ORDER BY sequence");
  Statement row(database_, path_, sql.c_str());
  row.Text(case_id);
  std::vector<Source> sources;
  while (row.Step()) sources.push_back(SourceAt(row));
  HILUM_RETURN_IF_ERROR(row.status());
  return sources;
}

absl::Status CaseDatabase::PutSource(const Source& source) {
  const std::string sql = absl::StrCat(
      "INSERT INTO sources(", kSourceColumns,
      ") VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT(name) DO UPDATE SET size = excluded.size, modified = "
      "excluded.modified, walked = excluded.walked, refusal = "
      "excluded.refusal, reason = excluded.reason, case_id = "
      "excluded.case_id, patient = excluded.patient, chosen = "
      "excluded.chosen, key_file = excluded.key_file, key_patient = "
      "excluded.key_patient, key_issuer = excluded.key_issuer, key_study = "
      "excluded.key_study, key_accession = excluded.key_accession, key_sop = "
      "excluded.key_sop, judged_by = excluded.judged_by");
  Statement put(database_, path_, sql.c_str());
  put.Text(source.id)
      .Blob(source.name)
      .Int(source.stamp.size)
      .Int(source.stamp.modified)
      .Int(source.walked)
      .Int(static_cast<int>(source.refusal))
      .Text(source.reason)
      .Text(source.case_id)
      .Text(source.patient)
      .Int(source.chosen);
  for (const std::string& key : source.keys.of) put.Blob(key);
  return put.Text(source.judged_by).Run();
}

absl::Status CaseDatabase::ForgetSource(absl::string_view name) {
  return Statement(database_, path_, "DELETE FROM sources WHERE name = ?")
      .Blob(name)
      .Run();
}

absl::Status CaseDatabase::ForEachRefused(
    absl::FunctionRef<void(const Source&)> see) {
  const std::string sql =
      absl::StrCat("SELECT ", kSourceColumns,
                   " FROM sources WHERE case_id = '' ORDER BY name");
  Statement row(database_, path_, sql.c_str());
  while (row.Step()) see(SourceAt(row));
  return row.status();
}

absl::StatusOr<std::optional<StoredCase>> CaseDatabase::FindCase(
    absl::string_view id) {
  const std::string sql =
      absl::StrCat("SELECT ", kCaseColumns, " FROM cases WHERE id = ?");
  Statement row(database_, path_, sql.c_str());
  std::optional<StoredCase> stored;
  if (row.Text(id).Step()) stored = CaseAt(row);
  HILUM_RETURN_IF_ERROR(row.status());
  return stored;
}

absl::StatusOr<std::string> CaseDatabase::CaseOfSop(absl::string_view key,
                                                    absl::string_view name) {
  if (key.empty()) return std::string();
  Statement row(database_, path_,
                "SELECT case_id FROM sources WHERE key_sop = ? AND "
                "case_id != '' AND name != ? ORDER BY sequence LIMIT 1");
  std::string id;
  if (row.Blob(key).Blob(name).Step()) id = row.Bytes(0);
  HILUM_RETURN_IF_ERROR(row.status());
  return id;
}

absl::Status CaseDatabase::PutCase(const StoredCase& stored) {
  const std::string sql = absl::StrCat(
      "INSERT INTO cases(", kCaseColumns,
      ") VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT(id) DO UPDATE SET state = excluded.state, reason = "
      "excluded.reason, held = excluded.held, label = excluded.label, patient "
      "= excluded.patient, view = excluded.view, rows = excluded.rows, columns "
      "= excluded.columns, shard = excluded.shard, offset = excluded.offset, "
      "has_mask = excluded.has_mask, lung_millionths = "
      "excluded.lung_millionths, look = excluded.look, turn = excluded.turn");
  return Statement(database_, path_, sql.c_str())
      .Text(stored.id)
      .Blob(stored.digest)
      .Int(static_cast<int>(stored.state))
      .Text(stored.reason)
      .Text(stored.held)
      .Text(stored.label)
      .Text(stored.patient)
      .Text(stored.view)
      .Int(stored.rows)
      .Int(stored.columns)
      .Int(stored.place.number)
      .Int(static_cast<int64_t>(stored.place.bytes))
      .Int(stored.has_mask)
      .Int(stored.lung_millionths)
      .Blob(stored.histogram)
      .Text(stored.look)
      .Int(IndexOf(stored.turn))
      .Run();
}

absl::Status CaseDatabase::ForEachCase(
    absl::FunctionRef<void(const StoredCase&)> see) {
  const std::string sql =
      absl::StrCat("SELECT ", kCaseColumns, " FROM cases ORDER BY sequence");
  Statement row(database_, path_, sql.c_str());
  while (row.Step()) see(CaseAt(row));
  return row.status();
}

absl::Status CaseDatabase::PutLabel(const LabelRow& row) {
  return Statement(database_, path_,
                   "INSERT OR REPLACE INTO labels(columns, key, label, "
                   "patient, problem) VALUES(?, ?, ?, ?, ?)")
      .Int(row.columns)
      .Blob(row.key)
      .Text(row.label)
      .Text(row.patient)
      .Text(row.problem)
      .Run();
}

absl::StatusOr<std::vector<int>> CaseDatabase::LabelColumnSets() {
  Statement row(database_, path_,
                "SELECT DISTINCT columns FROM labels ORDER BY columns");
  std::vector<int> sets;
  while (row.Step()) sets.push_back(static_cast<int>(row.Number(0)));
  HILUM_RETURN_IF_ERROR(row.status());
  return sets;
}

absl::StatusOr<std::optional<LabelRow>> CaseDatabase::FindLabel(
    int columns, absl::string_view key) {
  Statement row(database_, path_,
                "SELECT label, patient, problem FROM labels WHERE columns = ? "
                "AND key = ?");
  std::optional<LabelRow> label;
  if (row.Int(columns).Blob(key).Step()) {
    label = LabelRow{columns, std::string(key), row.Bytes(0), row.Bytes(1),
                     row.Bytes(2)};
  }
  HILUM_RETURN_IF_ERROR(row.status());
  return label;
}

absl::StatusOr<ShardEnd> CaseDatabase::End() {
  Statement row(database_, path_, "SELECT number, bytes FROM shard_end");
  ShardEnd end;
  if (row.Step()) {
    end = {static_cast<int>(row.Number(0)),
           static_cast<uint64_t>(row.Number(1))};
  }
  HILUM_RETURN_IF_ERROR(row.status());
  return end;
}

absl::Status CaseDatabase::SetEnd(const ShardEnd& end) {
  return Statement(database_, path_,
                   "INSERT OR REPLACE INTO shard_end(one, number, bytes) "
                   "VALUES(1, ?, ?)")
      .Int(end.number)
      .Int(static_cast<int64_t>(end.bytes))
      .Run();
}

absl::Status CaseDatabase::AddHistory(absl::string_view subject,
                                      const HistoryEntry& entry) {
  return Statement(database_, path_,
                   "INSERT INTO history(subject, time, actor, before, after, "
                   "reason) VALUES(?, ?, ?, ?, ?, ?)")
      .Text(subject)
      .Int(absl::ToUnixMicros(entry.time))
      .Text(entry.actor)
      .Text(entry.from)
      .Text(entry.to)
      .Text(entry.reason)
      .Run();
}

absl::StatusOr<std::vector<HistoryEntry>> CaseDatabase::HistoryOf(
    absl::string_view subject) {
  Statement row(database_, path_,
                "SELECT time, actor, before, after, reason FROM history "
                "WHERE subject = ? ORDER BY sequence");
  row.Text(subject);
  std::vector<HistoryEntry> entries;
  while (row.Step()) {
    entries.push_back({absl::FromUnixMicros(row.Number(0)), row.Bytes(1),
                       row.Bytes(2), row.Bytes(3), row.Bytes(4)});
  }
  HILUM_RETURN_IF_ERROR(row.status());
  return entries;
}

}  // namespace hilum
