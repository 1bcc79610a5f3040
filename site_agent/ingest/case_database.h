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

// The origin of an image, a file or a received object, and what became of it.
struct Source {
  std::string id;    // 16 hexadecimal digits, from the name
  std::string name;  // a path; bytes
  FileStamp stamp;
  bool walked = true;  // false: no file, but an error of the walk
  Refusal refusal = Refusal::kNone;
  std::string reason;   // reason of a refusal
  std::string case_id;  // empty: refused
  std::string patient;  // Pseudonyms::Patient; empty: the file does not say
  IdKeys keys;
  bool chosen = false;  // a person took it in
  // The words or the reader that refused the file, see Intake; empty: an older
  // program refused it. Other words or another reader may accept the file.
  std::string judged_by;
};

enum class CaseState { kReady, kUnlabelled, kQuarantined };
absl::string_view NameOf(CaseState state);

struct StoredCase {
  std::string id;
  std::string digest;  // ReadImage's digest
  CaseState state = CaseState::kUnlabelled;
  std::string reason;  // reason of quarantine
  std::string held;    // a person's reason for quarantine; empty: none
  std::string look;    // ReadImage's look, until a person releases the case
  Turn turn;           // turn of the stored planes, chosen by a person
  std::string label;
  std::string patient;
  std::string view;
  int rows = 0;  // image size, after `turn`
  int columns = 0;
  ShardEnd place;  // start of the case's record
  bool has_mask = false;
  int lung_millionths = 0;
  std::string histogram;  // [kFingerprintBins] uint32, little-endian
};

struct HistoryEntry {
  absl::Time time;
  std::string actor;  // user or program
  std::string from;   // states; empty: the subject is new
  std::string to;
  std::string reason;
};

// A store's index: SQLite, write-ahead log, synchronous. Make changes between
// Begin and Commit; they are on disk when Commit returns. Stores patients,
// studies and persons only as pseudonyms, but a source's path in clear, so the
// file is 0600. Not thread-safe. INTERNAL, RESOURCE_EXHAUSTED (disk full),
// DATA_LOSS name the file.
class CaseDatabase {
 public:
  // Opens the database, or makes it if missing. Upgrades an older program's
  // schema; its cases count as upright. FAILED_PRECONDITION: of a newer
  // program.
  static absl::StatusOr<std::unique_ptr<CaseDatabase>> Open(
      const std::string& path);
  ~CaseDatabase();

  absl::Status Begin();
  absl::Status Commit();
  absl::Status Rollback();

  absl::StatusOr<std::string> Note(absl::string_view name);  // empty: none
  absl::Status SetNote(absl::string_view name, absl::string_view value);

  // Finds sources by name or id. Put replaces the source of that name.
  absl::StatusOr<std::optional<Source>> FindSource(absl::string_view name);
  absl::StatusOr<std::optional<Source>> FindSourceById(absl::string_view id);
  absl::StatusOr<std::vector<Source>> SourcesOf(absl::string_view case_id);
  absl::Status PutSource(const Source& source);
  absl::Status ForgetSource(absl::string_view name);
  // Visits the refused sources in the order of their names.
  absl::Status ForEachRefused(absl::FunctionRef<void(const Source&)> see);

  absl::StatusOr<std::optional<StoredCase>> FindCase(absl::string_view id);
  // Returns the case with an image of this SOP Instance UID from a source other
  // than `name`; empty: none.
  absl::StatusOr<std::string> CaseOfSop(absl::string_view key,
                                        absl::string_view name);
  absl::Status PutCase(const StoredCase& stored);
  // Visits the cases in the order in which they came.
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
