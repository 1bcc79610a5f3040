// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_CASE_DATABASE_H_
#define HILUM_SITE_AGENT_INGEST_CASE_DATABASE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "site_agent/imaging/upright/turn.h"
#include "site_agent/ingest/folder_walk.h"
#include "site_agent/ingest/labels.h"
#include "site_agent/ingest/read_image.h"
#include "site_agent/ingest/shard_writer.h"

struct sqlite3;

namespace hilum {

class Statement;

// A file, or what else an image came by, and what became of it.
struct Source {
  std::string id;    // 16 hexadecimal digits, from the name
  std::string name;  // a path; bytes
  FileStamp stamp;
  bool walked = true;  // false: no file, but a fault of the walk
  Refusal refusal = Refusal::kNone;
  std::string reason;   // of a refusal
  std::string case_id;  // empty: refused
  std::string patient;  // Pseudonyms::Patient; empty: the file does not say
  IdKeys keys;
  bool chosen = false;  // by a person
  // The words or the reader by which the file was refused, as Intake names
  // them; empty: an older program's. Others may take it.
  std::string judged_by;
};

enum class CaseState { kReady, kUnlabelled, kQuarantined };
absl::string_view NameOf(CaseState state);

struct StoredCase {
  std::string id;
  std::string digest;  // ReadImage's
  CaseState state = CaseState::kUnlabelled;
  std::string reason;  // of quarantine
  std::string held;    // a person's reason for quarantine; empty: none
  std::string look;    // ReadImage's, until a person has released it
  Turn turn;           // by which a person had the kept planes turned
  std::string label;
  std::string patient;
  std::string view;
  int rows = 0;  // of the image, turned so
  int columns = 0;
  ShardEnd place;  // of its record
  bool has_mask = false;
  int lung_millionths = 0;
  std::string histogram;  // [kFingerprintBins] uint32, little-endian
};

struct HistoryEntry {
  absl::Time time;
  std::string actor;  // what or who
  std::string from;   // states; empty: new
  std::string to;
  std::string reason;
};

// A store's index: SQLite, write-ahead log, synchronous. Changes belong
// between Begin and Commit and are on disk when Commit returns. Names of
// patients, studies and persons are in it as pseudonyms only, but a source's
// name, a path, is as it is: the file is 0600. Not thread-safe.
// INTERNAL, RESOURCE_EXHAUSTED (disk full), DATA_LOSS name the file.
class CaseDatabase {
 public:
  // Makes it where absent; one of an older program is brought up to this
  // one's schema, and its cases count as upright. FAILED_PRECONDITION: of a
  // newer program.
  static absl::StatusOr<std::unique_ptr<CaseDatabase>> Open(
      const std::string& path);
  ~CaseDatabase();

  absl::Status Begin();
  absl::Status Commit();
  absl::Status Rollback();

  absl::StatusOr<std::string> Note(absl::string_view name);  // empty: none
  absl::Status SetNote(absl::string_view name, absl::string_view value);

  // Sources, by name or id; Put replaces the one of that name.
  absl::StatusOr<std::optional<Source>> FindSource(absl::string_view name);
  absl::StatusOr<std::optional<Source>> FindSourceById(absl::string_view id);
  absl::StatusOr<std::vector<Source>> SourcesOf(absl::string_view case_id);
  absl::Status PutSource(const Source& source);
  absl::Status ForgetSource(absl::string_view name);
  // In the order of their names.
  absl::Status ForEachRefused(absl::FunctionRef<void(const Source&)> see);

  absl::StatusOr<std::optional<StoredCase>> FindCase(absl::string_view id);
  // The case that another source than `name` has an image of with this SOP
  // Instance UID; empty: none.
  absl::StatusOr<std::string> CaseOfSop(absl::string_view key,
                                        absl::string_view name);
  absl::Status PutCase(const StoredCase& stored);
  // In the order in which they came.
  absl::Status ForEachCase(absl::FunctionRef<void(const StoredCase&)> see);

  absl::Status PutLabel(const LabelRow& row);
  absl::StatusOr<std::vector<int>> LabelColumnSets();
  absl::StatusOr<std::optional<LabelRow>> FindLabel(int columns,
                                                    absl::string_view key);

  absl::StatusOr<ShardEnd> End();
  absl::Status SetEnd(const ShardEnd& end);

  absl::Status AddHistory(absl::string_view subject, const HistoryEntry& entry);
  absl::StatusOr<std::vector<HistoryEntry>> HistoryOf(
      absl::string_view subject);

 private:
  CaseDatabase(sqlite3* database, std::string path);
  absl::Status Execute(const char* sql);
  absl::StatusOr<std::optional<Source>> OneSource(const char* where,
                                                  absl::string_view value);

  sqlite3* database_;
  std::string path_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_CASE_DATABASE_H_
