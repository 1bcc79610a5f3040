// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/intake.h"

#include <cmath>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "site_agent/imaging/case_store/case_record.h"
#include "site_agent/imaging/case_store/case_store_reader.h"
#include "site_agent/imaging/case_store/turn_record.h"
#include "site_agent/ingest/exports.h"
#include "site_agent/ingest/judge.h"
#include "site_agent/ingest/site_words.h"

namespace hilum {
namespace {

constexpr char kKeyCheck[] = "key_check";
// Raise it when the reader accepts files that it refused as damaged before.
constexpr char kReader[] = "reader 2";

absl::Status CheckKey(const Pseudonyms& pseudonyms, const std::string& key_file,
                      CaseDatabase& database) {
  const std::string check = pseudonyms.Of(kKeyCheck, "hilum case store");
  HILUM_ASSIGN_OR_RETURN(const std::string noted, database.Note(kKeyCheck));
  if (noted.empty()) return database.SetNote(kKeyCheck, check);
  if (noted == check) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(key_file,
                   ": not the key that this store was made with; give that one "
                   "with --key, or make another store"));
}

std::string PackedHistogram(const ReadImage& image) {
  std::string out;
  for (uint32_t count : image.histogram) {
    for (int i = 0; i < 4; ++i) {
      out.push_back(static_cast<char>(count >> (8 * i) & 0xff));
    }
  }
  return out;
}

PlaneView ViewOf(const SizedPlane& plane) {
  return {plane.rows, plane.columns, plane.pixels};
}

Outcome OutcomeOf(const StoredCase& stored) {
  return {stored.id, stored.reason, stored.state};
}

std::string CaseIdOf(const Pseudonyms& pseudonyms, const ReadImage& image) {
  return pseudonyms.Short("case", image.digest, kCaseIdDigits);
}

}  // namespace

Intake::Intake(const IntakeOptions& options, Clock& clock, FolderLock lock,
               Pseudonyms pseudonyms, std::unique_ptr<CaseDatabase> database,
               ShardWriter shards, FilmWords words)
    : options_(options),
      clock_(clock),
      lock_(std::move(lock)),
      pseudonyms_(std::move(pseudonyms)),
      database_(std::move(database)),
      shards_(std::move(shards)),
      words_(std::move(words)),
      words_name_(words_.Fingerprint().substr(0, 16)) {}

absl::StatusOr<std::unique_ptr<Intake>> Intake::Open(
    const IntakeOptions& options, Clock& clock, SecureRng& rng) {
  HILUM_RETURN_IF_ERROR(MakeDirectories(options.store));
  HILUM_ASSIGN_OR_RETURN(FolderLock lock,
                         FolderLock::Take(options.store, "hilum-ingest"));
  const std::string key_file = options.key_file.empty()
                                   ? absl::StrCat(options.store, "/patient.key")
                                   : options.key_file;
  const std::string database_path = absl::StrCat(options.store, "/store.db");
  if (FileExists(database_path) && !FileExists(key_file)) {
    return absl::FailedPreconditionError(absl::StrCat(
        key_file,
        ": this store's key is gone; bring it back from a backup or "
        "give it with --key"));
  }
  HILUM_ASSIGN_OR_RETURN(Pseudonyms pseudonyms,
                         Pseudonyms::FromKeyFile(key_file, rng));
  HILUM_ASSIGN_OR_RETURN(std::unique_ptr<CaseDatabase> database,
                         CaseDatabase::Open(database_path));
  HILUM_RETURN_IF_ERROR(CheckKey(pseudonyms, key_file, *database));
  HILUM_ASSIGN_OR_RETURN(FilmWords words,
                         SiteWordsOfStore(options.words, *database));
  HILUM_ASSIGN_OR_RETURN(const ShardEnd end, database->End());
  HILUM_ASSIGN_OR_RETURN(ShardWriter shards,
                         ShardWriter::Open(options.store, end));
  return std::unique_ptr<Intake>(
      new Intake(options, clock, std::move(lock), std::move(pseudonyms),
                 std::move(database), std::move(shards), std::move(words)));
}

std::string Intake::JudgedBy(Refusal refusal) const {
  if (refusal == Refusal::kNotChosen) return words_name_;
  return refusal == Refusal::kDamaged ? kReader : "";
}

absl::StatusOr<bool> Intake::IsKnown(const IntakeFile& file) {
  HILUM_ASSIGN_OR_RETURN(std::optional<Source> source,
                         database_->FindSource(file.path));
  if (!source.has_value() || source->stamp != file.stamp) return false;
  if (source->refusal == Refusal::kUnreadable) return false;
  if (source->judged_by != JudgedBy(source->refusal)) return false;
  if (file.read.mask.empty() || source->case_id.empty()) return true;
  HILUM_ASSIGN_OR_RETURN(std::optional<StoredCase> stored,
                         database_->FindCase(source->case_id));
  return stored.has_value() && stored->has_mask;
}

Prepared Intake::Read(const IntakeFile& file) const {
  ReadOptions read = file.read;
  read.words = &words_;
  Prepared prepared{.image = ReadImageFile(file.path, read)};
  ReadImage& image = prepared.image;
  if (image.refusal != Refusal::kNone) return prepared;
  prepared.record =
      EncodeCaseRecord({.case_id = CaseIdOf(pseudonyms_, image),
                        .whole = ViewOf(image.whole),
                        .segmented = ViewOf(image.segmented),
                        .lungs = image.lungs,
                        .source_rows = static_cast<uint32_t>(image.rows),
                        .source_columns = static_cast<uint32_t>(image.columns),
                        .image_digest = image.image_digest});
  image.whole.pixels = image.segmented.pixels = Plane();
  image.lungs = std::string();
  return prepared;
}

absl::Status Intake::BeginChanges() {
  if (changing_) return absl::OkStatus();
  HILUM_RETURN_IF_ERROR(database_->Begin());
  changing_ = true;
  return absl::OkStatus();
}

absl::Status Intake::Commit() {
  if (!changing_) return absl::OkStatus();
  // Syncs the pixels before the rows that refer to them.
  HILUM_RETURN_IF_ERROR(shards_.Sync());
  HILUM_RETURN_IF_ERROR(database_->SetEnd(shards_.end()));
  HILUM_RETURN_IF_ERROR(database_->Commit());
  changing_ = false;
  return absl::OkStatus();
}

absl::Status Intake::Remember(absl::string_view subject, absl::string_view from,
                              absl::string_view to, absl::string_view reason) {
  return database_->AddHistory(subject, {.time = clock_.Now(),
                                         .actor = options_.actor,
                                         .from = std::string(from),
                                         .to = std::string(to),
                                         .reason = std::string(reason)});
}

Source Intake::SourceOf(const IntakeFile& file, const ReadImage& image) const {
  return {.id = pseudonyms_.Short("source", file.path, kCaseIdDigits),
          .name = file.path,
          .stamp = file.stamp,
          .refusal = image.refusal,
          .reason = image.reason,
          .patient = pseudonyms_.Patient(image.ids.issuer, image.ids.patient),
          .keys = KeysOf(pseudonyms_, file.path, image.ids),
          .chosen = file.read.chosen,
          .judged_by = JudgedBy(image.refusal)};
}

absl::Status Intake::RecordRefusal(const Source& source,
                                   const std::optional<Source>& before) {
  HILUM_RETURN_IF_ERROR(database_->PutSource(source));
  if (before.has_value() && before->case_id.empty() &&
      before->reason == source.reason) {
    return absl::OkStatus();
  }
  absl::string_view from;
  if (before.has_value()) from = before->case_id.empty() ? "refused" : "taken";
  return Remember(source.id, from, "refused", source.reason);
}

// Returns the image's case. Appends its record if it is new or adds a mask.
absl::StatusOr<StoredCase> Intake::PlaceCase(const Source& source,
                                             bool named_by_uid,
                                             const Prepared& prepared) {
  const ReadImage& image = prepared.image;
  std::string id = CaseIdOf(pseudonyms_, image);
  HILUM_ASSIGN_OR_RETURN(std::optional<StoredCase> found,
                         database_->FindCase(id));
  if (!found.has_value()) {
    HILUM_ASSIGN_OR_RETURN(
        const std::string same_sop,
        database_->CaseOfSop(source.keys.of[kSopColumn],
                             named_by_uid ? std::string() : source.name));
    if (!same_sop.empty()) return NeedCase(same_sop);
  }
  const bool has_mask = image.segmented.rows > 0;
  StoredCase stored =
      found.value_or(StoredCase{.id = std::move(id),
                                .digest = image.digest,
                                .look = image.look,
                                .view = image.view,
                                .rows = image.rows,
                                .columns = image.columns,
                                .histogram = PackedHistogram(image)});
  if (found.has_value() && (found->has_mask || !has_mask)) return stored;
  stored.has_mask = has_mask;
  stored.lung_millionths =
      static_cast<int>(std::lround(image.lung_share * 1e6));
  if (stored.turn == Turn{}) {
    HILUM_ASSIGN_OR_RETURN(stored.place, shards_.Append(prepared.record));
    return stored;
  }
  HILUM_ASSIGN_OR_RETURN(const std::string turned,
                         TurnEncodedRecord(prepared.record, stored.turn));
  HILUM_ASSIGN_OR_RETURN(stored.place, shards_.Append(turned));
  return stored;
}

absl::StatusOr<Outcome> Intake::Record(const IntakeFile& file,
                                       Prepared&& prepared) {
  HILUM_RETURN_IF_ERROR(BeginChanges());
  HILUM_ASSIGN_OR_RETURN(const std::optional<Source> before,
                         database_->FindSource(file.path));
  Source source = SourceOf(file, prepared.image);
  Outcome outcome{.reason = source.reason};
  if (source.refusal != Refusal::kNone) {
    HILUM_RETURN_IF_ERROR(RecordRefusal(source, before));
  } else {
    HILUM_ASSIGN_OR_RETURN(StoredCase stored,
                           PlaceCase(source, file.named_by_uid, prepared));
    source.case_id = stored.id;
    HILUM_RETURN_IF_ERROR(database_->PutSource(source));
    HILUM_ASSIGN_OR_RETURN(const std::optional<StoredCase> known,
                           database_->FindCase(stored.id));
    const std::string notes =
        known.has_value() ? "" : absl::StrJoin(prepared.image.notes, "; ");
    HILUM_ASSIGN_OR_RETURN(outcome, JudgeAnew(std::move(stored), notes));
  }
  if (before.has_value() && !before->case_id.empty() &&
      before->case_id != source.case_id) {
    HILUM_ASSIGN_OR_RETURN(StoredCase left, NeedCase(before->case_id));
    HILUM_RETURN_IF_ERROR(JudgeAnew(std::move(left)).status());
  }
  return outcome;
}

absl::StatusOr<Outcome> Intake::Take(const IntakeFile& file) {
  HILUM_ASSIGN_OR_RETURN(Outcome outcome, Record(file, Read(file)));
  HILUM_RETURN_IF_ERROR(Commit());
  return outcome;
}

absl::Status Intake::RecordWalk(const FolderWalk& walk) {
  HILUM_RETURN_IF_ERROR(BeginChanges());
  std::set<absl::string_view> there;
  for (const FoundFile& file : walk.files) there.insert(file.path);
  std::vector<std::string> gone;
  const std::string below = absl::StrCat(walk.folder, "/");
  HILUM_RETURN_IF_ERROR(database_->ForEachRefused([&](const Source& source) {
    const bool fault_here = !source.walked && source.name == walk.folder;
    if (!fault_here && !absl::StartsWith(source.name, below)) return;
    if (there.count(source.name) == 0) gone.push_back(source.name);
  }));
  for (const std::string& name : gone) {
    HILUM_RETURN_IF_ERROR(database_->ForgetSource(name));
  }
  for (const FoundProblem& fault : walk.problems) {
    HILUM_RETURN_IF_ERROR(database_->PutSource(
        {.id = pseudonyms_.Short("source", fault.path, kCaseIdDigits),
         .name = fault.path,
         .walked = false,
         .refusal = Refusal::kUnreadable,
         .reason = fault.reason}));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<LabelRow>> Intake::LabelsOf(
    const std::vector<Source>& sources) {
  if (!label_sets_.has_value()) {
    HILUM_ASSIGN_OR_RETURN(label_sets_, database_->LabelColumnSets());
  }
  std::vector<LabelRow> rows;
  for (const Source& source : sources) {
    for (int columns : *label_sets_) {
      const std::string key = CombinedKey(source.keys, columns);
      if (key.empty()) continue;
      HILUM_ASSIGN_OR_RETURN(std::optional<LabelRow> row,
                             database_->FindLabel(columns, key));
      if (row.has_value()) rows.push_back(*std::move(row));
    }
  }
  return rows;
}

absl::StatusOr<Outcome> Intake::JudgeAnew(StoredCase stored,
                                          absl::string_view deed) {
  HILUM_ASSIGN_OR_RETURN(const std::vector<Source> sources,
                         database_->SourcesOf(stored.id));
  HILUM_ASSIGN_OR_RETURN(const std::vector<LabelRow> labels, LabelsOf(sources));
  CaseVerdict verdict = JudgeCase(
      stored.held.empty() ? stored.look : stored.held, sources, labels);
  HILUM_ASSIGN_OR_RETURN(const std::optional<StoredCase> before,
                         database_->FindCase(stored.id));
  const bool changed = !before.has_value() || before->state != verdict.state ||
                       before->reason != verdict.reason;
  const bool relabelled = before.has_value() && before->label != verdict.label;
  stored.state = verdict.state;
  stored.reason = std::move(verdict.reason);
  stored.label = std::move(verdict.label);
  stored.patient = std::move(verdict.patient);
  HILUM_RETURN_IF_ERROR(database_->PutCase(stored));
  if (!changed && !relabelled && deed.empty()) return OutcomeOf(stored);
  std::string why = relabelled && stored.reason.empty()
                        ? absl::StrCat("label '", stored.label, "'")
                        : stored.reason;
  if (!deed.empty()) {
    why = absl::StrCat(deed, why.empty() ? "" : "; ", why);
  }
  HILUM_RETURN_IF_ERROR(
      Remember(stored.id, before.has_value() ? NameOf(before->state) : "",
               NameOf(stored.state), why));
  return OutcomeOf(stored);
}

absl::StatusOr<StoredCase> Intake::NeedCase(absl::string_view case_id) {
  HILUM_ASSIGN_OR_RETURN(std::optional<StoredCase> stored,
                         database_->FindCase(case_id));
  if (stored.has_value()) return *std::move(stored);
  return absl::NotFoundError(absl::StrCat(
      "no case ", case_id, "; `hilum-ingest list` shows those there are"));
}

absl::Status Intake::AddLabels(const LabelFile& labels) {
  HILUM_RETURN_IF_ERROR(BeginChanges());
  for (const LabelRow& row : labels.rows) {
    HILUM_RETURN_IF_ERROR(database_->PutLabel(row));
  }
  label_sets_.reset();
  std::vector<std::string> ids;
  HILUM_RETURN_IF_ERROR(database_->ForEachCase(
      [&](const StoredCase& stored) { ids.push_back(stored.id); }));
  for (const std::string& id : ids) {
    HILUM_ASSIGN_OR_RETURN(StoredCase stored, NeedCase(id));
    HILUM_RETURN_IF_ERROR(JudgeAnew(std::move(stored)).status());
  }
  return Commit();
}

absl::Status Intake::Quarantine(absl::string_view case_id,
                                absl::string_view reason) {
  HILUM_RETURN_IF_ERROR(BeginChanges());
  HILUM_ASSIGN_OR_RETURN(StoredCase stored, NeedCase(case_id));
  stored.held = std::string(reason);
  HILUM_RETURN_IF_ERROR(JudgeAnew(std::move(stored)).status());
  return Commit();
}

absl::StatusOr<Outcome> Intake::TakeChosen(const Source& source) {
  if (source.refusal != Refusal::kNotChosen) {
    return absl::FailedPreconditionError(
        absl::StrCat(source.id, ": no person can release it: ", source.reason));
  }
  HILUM_ASSIGN_OR_RETURN(const FileStamp stamp, StampOf(source.name));
  return Take({.path = source.name, .stamp = stamp, .read = {.chosen = true}});
}

absl::Status Intake::TurnCase(StoredCase& stored, const Turn& turn) {
  HILUM_ASSIGN_OR_RETURN(const CaseStoreReader kept,
                         CaseStoreReader::Open(options_.store));
  HILUM_ASSIGN_OR_RETURN(const CaseRecord record, kept.Read(stored.id));
  HILUM_ASSIGN_OR_RETURN(stored.place,
                         shards_.Append(TurnRecord(record, turn)));
  stored.turn = Then(stored.turn, turn);
  if (Transposes(turn)) std::swap(stored.rows, stored.columns);
  return absl::OkStatus();
}

absl::StatusOr<Outcome> Intake::Release(absl::string_view id,
                                        const Turn& turn) {
  std::string case_id(id);
  HILUM_ASSIGN_OR_RETURN(std::optional<Source> source,
                         database_->FindSourceById(id));
  const bool chosen = source.has_value() && source->case_id.empty();
  if (chosen) {
    HILUM_ASSIGN_OR_RETURN(Outcome taken, TakeChosen(*source));
    if (turn == Turn{} || taken.case_id.empty()) return taken;
    case_id = taken.case_id;
  }
  HILUM_RETURN_IF_ERROR(BeginChanges());
  HILUM_ASSIGN_OR_RETURN(StoredCase stored, NeedCase(case_id));
  // A retry after a crash must not turn the case twice.
  if (stored.held.empty() && stored.look.empty() && !chosen) {
    return absl::FailedPreconditionError(
        stored.reason.empty()
            ? absl::StrCat(id, ": it is not in quarantine")
            : absl::StrCat(id, ": no person can release it: ", stored.reason));
  }
  std::string deed;
  if (turn != Turn{}) {
    HILUM_RETURN_IF_ERROR(TurnCase(stored, turn));
    deed = NameOf(turn);
    stored.held.clear();
    stored.look.clear();
  } else if (stored.held.empty()) {
    deed = "taken as it lies";
    stored.look.clear();
  } else {
    stored.held.clear();
  }
  HILUM_ASSIGN_OR_RETURN(Outcome outcome, JudgeAnew(std::move(stored), deed));
  HILUM_RETURN_IF_ERROR(Commit());
  return outcome;
}

absl::StatusOr<std::string> Intake::CaseOfSop(absl::string_view uid) {
  const IdKeys keys =
      KeysOf(pseudonyms_, "", {.sop_instance = std::string(uid)});
  return database_->CaseOfSop(keys.of[kSopColumn], /*name=*/"");
}

absl::Status Intake::PutMask(const CaseRecord& record) {
  HILUM_RETURN_IF_ERROR(BeginChanges());
  HILUM_ASSIGN_OR_RETURN(StoredCase stored, NeedCase(record.case_id));
  HILUM_ASSIGN_OR_RETURN(stored.place,
                         shards_.Append(EncodeCaseRecord(record)));
  const bool had_one = std::exchange(stored.has_mask, true);
  stored.lung_millionths = static_cast<int>(
      std::lround(1e6 * static_cast<double>(CountBits(record.lungs)) /
                  static_cast<double>(record.whole.pixels.size())));
  HILUM_RETURN_IF_ERROR(database_->PutCase(stored));
  return Remember(stored.id, NameOf(stored.state), NameOf(stored.state),
                  had_one ? "another lung mask" : "lung mask");
}

absl::Status Intake::Export() {
  return ExportStore(*database_, options_.store);
}

}  // namespace hilum
