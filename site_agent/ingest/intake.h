// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_INTAKE_H_
#define HILUM_SITE_AGENT_INGEST_INTAKE_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/clock.h"
#include "common/base/folder_lock.h"
#include "common/crypto/secure_rng.h"
#include "site_agent/imaging/case_store/case_record.h"
#include "site_agent/imaging/dicom/film_words.h"
#include "site_agent/ingest/case_database.h"
#include "site_agent/ingest/pseudonyms.h"
#include "site_agent/ingest/read_image.h"
#include "site_agent/ingest/shard_writer.h"

namespace hilum {

struct IntakeOptions {
  std::string store;     // made if missing, 0700
  std::string key_file;  // empty: STORE/patient.key
  std::string actor;     // for the history: "folder", "listen", "user jane"
  // A file with the site's own words (FilmWords::WithSiteList); the store keeps
  // them. Empty: the words that the store has.
  std::string words = {};
};

// One image to take in.
struct IntakeFile {
  std::string path;  // absolute; read from here
  FileStamp stamp;   // StampOf(path), taken before reading
  ReadOptions read;
  // The source's name is the object's UID and not a file's path: under the same
  // name the same object comes again, not a file that has changed.
  bool named_by_uid = false;
};

// The result of Read, without the planes, which are in the record.
struct Prepared {
  ReadImage image;
  std::string record;  // EncodeCaseRecord; empty: refused
};

// The result of taking a file in.
struct Outcome {
  std::string case_id;  // empty: refused
  std::string reason;   // of the refusal, or of the case's quarantine
  CaseState state = CaseState::kQuarantined;  // the case's state
};

// Takes one file in as one case or one line of quarantine, and records its
// history. All images come to a store through this class. One object is one
// process's hold on a store; a second one is refused.
//
// Call order: Take, any number of times; or, for many files, Read in several
// threads, Record in one, and Commit now and then. Read is thread-safe, the
// rest is not. After an error from Record or Commit the object is useless: the
// store has what was committed, and nothing else.
//
// Durability: when Take or Commit returns, the pixels are synced in their shard
// and the database has committed the rows that refer to them. The file may then
// be removed, but `release` of a file that was not chosen reads it again. A
// crash at any instruction leaves the store as of the last Commit: Open cuts
// off a shard's bytes behind it. cases.csv and the other exports are as of the
// last Export.
class Intake {
 public:
  // Opens the store. FAILED_PRECONDITION: another process has it, a newer
  // program made it, or it was made with another key. DATA_LOSS: a shard is
  // shorter than the database says. INVALID_ARGUMENT: a list of words with a
  // wrong line. Otherwise errors as Pseudonyms::FromKeyFile and ErrnoStatus.
  static absl::StatusOr<std::unique_ptr<Intake>> Open(
      const IntakeOptions& options, Clock& clock, SecureRng& rng);

  // Returns whether Record has had the file in its present state and does not
  // need it again. It needs the file again if it could not be read, if other
  // words or an older reader refused it, or if file.read.mask is given and its
  // case has no mask yet.
  absl::StatusOr<bool> IsKnown(const IntakeFile& file);
  // Returns the recorded source, if there is one.
  absl::StatusOr<std::optional<Source>> FindSource(absl::string_view path) {
    return database_->FindSource(path);
  }

  Prepared Read(const IntakeFile& file) const;
  absl::StatusOr<Outcome> Record(const IntakeFile& file, Prepared&& prepared);
  absl::Status Commit();
  absl::StatusOr<Outcome> Take(const IntakeFile& file);

  // Records a walk's problems, replacing those of earlier walks of that folder.
  // Forgets refused files there that no longer exist. Part of the open changes,
  // like Record.
  absl::Status RecordWalk(const FolderWalk& walk);

  // Adds labels, replacing earlier ones for the same images, and judges every
  // case anew; decodes nothing. Durable when it returns.
  absl::Status AddLabels(const LabelFile& labels);

  // Both are durable when they return. NOT_FOUND: no such case.
  absl::Status Quarantine(absl::string_view case_id, absl::string_view reason);
  // Releases a case: lifts a person's quarantine or, if there is none, the
  // doubt about its orientation, for good. For a whole file that was not
  // chosen: takes it in as a person's choice. If `turn` is given, turns the
  // stored planes and lifts both reasons. FAILED_PRECONDITION: it is not in
  // quarantine, or for a reason that a person cannot lift; the message names
  // the reason. DATA_LOSS: its record is damaged.
  absl::StatusOr<Outcome> Release(absl::string_view id, const Turn& turn = {});

  // Returns the case of an image with this SOP Instance UID; empty: none.
  absl::StatusOr<std::string> CaseOfSop(absl::string_view uid);
  // Replaces a case's record with one that has another lung mask. Part of the
  // open changes, like Record. NOT_FOUND: no such case.
  absl::Status PutMask(const CaseRecord& record);

  // Rewrites cases.csv, quarantine.csv and fingerprint.json.
  absl::Status Export();

  const Pseudonyms& pseudonyms() const { return pseudonyms_; }
  CaseDatabase& database() { return *database_; }

 private:
  Intake(const IntakeOptions& options, Clock& clock, FolderLock lock,
         Pseudonyms pseudonyms, std::unique_ptr<CaseDatabase> database,
         ShardWriter shards, FilmWords words);

  // Returns the present value of Source::judged_by for such a refusal.
  std::string JudgedBy(Refusal refusal) const;

  absl::Status BeginChanges();
  Source SourceOf(const IntakeFile& file, const ReadImage& image) const;
  absl::Status RecordRefusal(const Source& source,
                             const std::optional<Source>& before);
  absl::StatusOr<StoredCase> PlaceCase(const Source& source, bool named_by_uid,
                                       const Prepared& prepared);
  absl::StatusOr<std::vector<LabelRow>> LabelsOf(
      const std::vector<Source>& sources);
  // Judges and stores a case. Adds to the history a change of state and, if
  // given, `deed`: a person's action, or a note about the file.
  absl::StatusOr<Outcome> JudgeAnew(StoredCase stored,
                                    absl::string_view deed = "");
  absl::StatusOr<Outcome> TakeChosen(const Source& source);
  absl::Status TurnCase(StoredCase& stored, const Turn& turn);
  absl::StatusOr<StoredCase> NeedCase(absl::string_view case_id);
  absl::Status Remember(absl::string_view subject, absl::string_view from,
                        absl::string_view to, absl::string_view reason);

  const IntakeOptions options_;
  Clock& clock_;
  FolderLock lock_;
  Pseudonyms pseudonyms_;
  std::unique_ptr<CaseDatabase> database_;
  ShardWriter shards_;
  const FilmWords words_;
  const std::string words_name_;
  bool changing_ = false;
  std::optional<std::vector<int>> label_sets_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_INTAKE_H_
