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
  std::string store;     // made where absent, 0700
  std::string key_file;  // empty: STORE/patient.key
  std::string actor;     // for the history: "folder", "listen", "user jane"
  // A file with the site's own words (FilmWords::WithSiteList); the store keeps
  // them for later. Empty: those that it keeps.
  std::string words = {};
};

// One image on its way in.
struct IntakeFile {
  std::string path;  // absolute; where it is read
  FileStamp stamp;   // StampOf(path), from before it is read
  ReadOptions read;
  // The source is called after the object's UID and not after a file: what
  // comes under that name again is the same object, not a file that changed.
  bool named_by_uid = false;
};

// What Read made of a file: without its planes, which are in the record.
struct Prepared {
  ReadImage image;
  std::string record;  // EncodeCaseRecord; empty: refused
};

// What became of it.
struct Outcome {
  std::string case_id;  // empty: refused
  std::string reason;   // of the refusal, or of the case's quarantine
  CaseState state = CaseState::kQuarantined;  // the case's
};

// One file in, one case or one line of quarantine out, recorded with its
// history. Every way by which images come to a store goes through it. One
// object is one process's hold on a store; a second one is refused.
//
// Call order: Take, again and again; or, for many files, Read in several
// threads, Record in one, and Commit now and then. Read is thread-safe, the
// rest is not. After an error from Record or Commit the object is of no use:
// what was committed is in the store, and what was not is not.
//
// What is durable: when Take or Commit returns, the pixels are synced in their
// shard and the database has committed what refers to them; the file itself
// may then be removed, though `release` of one that was not chosen reads it
// again. A crash at any instruction leaves the store as of the last Commit:
// what a shard has behind it is cut off at Open. cases.csv and its
// neighbours are as of the last Export.
class Intake {
 public:
  // FAILED_PRECONDITION: another process has the store, it is of a newer
  // program, or it was made with another key. DATA_LOSS: a shard is shorter
  // than the database says. INVALID_ARGUMENT: a list of words with a wrong
  // line. Else as Pseudonyms::FromKeyFile and ErrnoStatus.
  static absl::StatusOr<std::unique_ptr<Intake>> Open(
      const IntakeOptions& options, Clock& clock, SecureRng& rng);

  // Whether Record has had the file as it is now and needs it no more. Not
  // where it could not be read then, where it was refused by other words or an
  // older reader, and not where file.read.mask is given and its case has none
  // yet.
  absl::StatusOr<bool> IsKnown(const IntakeFile& file);
  // As it was recorded, if it was.
  absl::StatusOr<std::optional<Source>> FindSource(absl::string_view path) {
    return database_->FindSource(path);
  }

  Prepared Read(const IntakeFile& file) const;
  absl::StatusOr<Outcome> Record(const IntakeFile& file, Prepared&& prepared);
  absl::Status Commit();
  absl::StatusOr<Outcome> Take(const IntakeFile& file);

  // What a walk stumbled over, instead of what it did before in that folder;
  // files there that were refused and are gone are forgotten. Belongs to the
  // open changes, as Record.
  absl::Status RecordWalk(const FolderWalk& walk);

  // Adds labels, in place of earlier ones for the same, and judges every case
  // anew; decodes nothing. Durable when it returns.
  absl::Status AddLabels(const LabelFile& labels);

  // Durable when they return. NOT_FOUND: no such case.
  absl::Status Quarantine(absl::string_view case_id, absl::string_view reason);
  // Of a case: takes a person's quarantine from it; where there is none, that
  // it does not look upright, for good. Of a file that is whole but was not
  // chosen: takes it in as a person's choice. With `turn` what is kept of it is
  // turned, and both reasons go. FAILED_PRECONDITION: it is not in quarantine,
  // or for a reason that a person cannot lift, which is named. DATA_LOSS: what
  // is kept of it is damaged.
  absl::StatusOr<Outcome> Release(absl::string_view id, const Turn& turn = {});

  // The case of an image with this SOP Instance UID; empty: none.
  absl::StatusOr<std::string> CaseOfSop(absl::string_view uid);
  // A case's record as it is, but with another lung mask, in its place. Belongs
  // to the open changes, as Record. NOT_FOUND: no such case.
  absl::Status PutMask(const CaseRecord& record);

  // Writes cases.csv, quarantine.csv and fingerprint.json anew.
  absl::Status Export();

  const Pseudonyms& pseudonyms() const { return pseudonyms_; }
  CaseDatabase& database() { return *database_; }

 private:
  Intake(const IntakeOptions& options, Clock& clock, FolderLock lock,
         Pseudonyms pseudonyms, std::unique_ptr<CaseDatabase> database,
         ShardWriter shards, FilmWords words);

  // Returns what Source::judged_by is now for such a refusal.
  std::string JudgedBy(Refusal refusal) const;

  absl::Status BeginChanges();
  Source SourceOf(const IntakeFile& file, const ReadImage& image) const;
  absl::Status RecordRefusal(const Source& source,
                             const std::optional<Source>& before);
  absl::StatusOr<StoredCase> PlaceCase(const Source& source, bool named_by_uid,
                                       const Prepared& prepared);
  absl::StatusOr<std::vector<LabelRow>> LabelsOf(
      const std::vector<Source>& sources);
  // Judges and stores; a change of state is history, and `deed`, what a person
  // did to it or what is noted of its file, where there is one.
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
