// SPDX-License-Identifier: Apache-2.0
#include <pwd.h>
#include <unistd.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/crypto/secure_rng.h"
#include "site_agent/ingest/case_database.h"
#include "site_agent/ingest/commands.h"
#include "site_agent/ingest/confine_ingest.h"
#include "site_agent/ingest/exports.h"
#include "site_agent/ingest/intake.h"
#include "site_agent/ingest/show_picture.h"
#include "site_agent/sandbox/confine.h"

namespace hilum {
namespace {

struct Options {
  std::string store;
  std::string key_file;
  std::string id;
  std::string reason;
  std::string picture;  // a file's path; empty: none
  int turn = 0;         // degrees, clockwise
  bool mirror = false;
  bool quarantined = false;
  bool json = false;
  bool csv = false;
};

using Json = nlohmann::ordered_json;

std::string Line(const Json& json) {
  // Paths need not be UTF-8.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::StatusOr<std::unique_ptr<CaseDatabase>> OpenToLook(
    const Options& options) {
  const std::string path = absl::StrCat(options.store, "/store.db");
  if (FileExists(path)) return CaseDatabase::Open(path);
  return absl::NotFoundError(
      absl::StrCat(options.store,
                   ": no case store; `hilum-ingest folder DIR "
                   "--store ",
                   options.store, "` makes one"));
}

// Returns the user who runs the command, for the history.
std::string Actor() {
  const passwd* user = getpwuid(getuid());
  return user == nullptr ? absl::StrCat("user ", getuid())
                         : absl::StrCat("user ", user->pw_name);
}

absl::StatusOr<std::unique_ptr<Intake>> OpenToChange(const Options& options) {
  HILUM_RETURN_IF_ERROR(OpenToLook(options).status());
  return Intake::Open(
      {.store = options.store, .key_file = options.key_file, .actor = Actor()},
      RealClock(), RealSecureRng());
}

Json CaseJson(const StoredCase& stored) {
  Json json;
  json["case"] = stored.id;
  json["state"] = std::string(NameOf(stored.state));
  json["reason"] = stored.reason;
  json["label"] = stored.label;
  json["patient"] = stored.patient;
  json["view"] = stored.view;
  json["rows"] = stored.rows;
  json["columns"] = stored.columns;
  json["mask"] = stored.has_mask;
  return json;
}

std::string CaseLine(const StoredCase& stored) {
  return absl::StrFormat("%s  %-11s  %-2s  %-11s  %s%s%s", stored.id,
                         NameOf(stored.state),
                         stored.view.empty() ? "-" : stored.view,
                         absl::StrCat(stored.columns, " x ", stored.rows),
                         stored.label.empty() ? "-" : stored.label,
                         stored.reason.empty() ? "" : ": ", stored.reason);
}

Json RefusedJson(const Source& source) {
  Json json;
  json["refused"] = source.id;
  json["reason"] = source.reason;
  json["file"] = source.name;
  return json;
}

absl::Status List(const Options& options, std::ostream& out) {
  HILUM_ASSIGN_OR_RETURN(auto database, OpenToLook(options));
  if (options.csv) {
    HILUM_ASSIGN_OR_RETURN(const std::string csv, QuarantineCsv(*database));
    out << csv;
    return absl::OkStatus();
  }
  HILUM_RETURN_IF_ERROR(database->ForEachCase([&](const StoredCase& stored) {
    if (options.quarantined && stored.state != CaseState::kQuarantined) return;
    out << (options.json ? Line(CaseJson(stored)) : CaseLine(stored)) << "\n";
  }));
  if (!options.quarantined) return absl::OkStatus();
  return database->ForEachRefused([&](const Source& source) {
    out << (options.json ? Line(RefusedJson(source))
                         : absl::StrCat(source.id, "  refused      ",
                                        source.name, ": ", source.reason))
        << "\n";
  });
}

absl::Status ShowHistory(CaseDatabase& database, const std::string& id,
                         std::ostream& out) {
  HILUM_ASSIGN_OR_RETURN(const std::vector<HistoryEntry> history,
                         database.HistoryOf(id));
  for (const HistoryEntry& entry : history) {
    out << "  "
        << absl::FormatTime(absl::RFC3339_sec, entry.time, absl::UTCTimeZone())
        << "  " << entry.actor << ": "
        << (entry.from.empty() ? "new" : entry.from) << " -> " << entry.to
        << (entry.reason.empty() ? "" : ": ") << entry.reason << "\n";
  }
  return absl::OkStatus();
}

// Confines the process first: it may decode a file that was refused.
absl::Status WritePicture(const Options& options, CaseDatabase& database) {
  HILUM_ASSIGN_OR_RETURN(const auto stored, database.FindCase(options.id));
  HILUM_ASSIGN_OR_RETURN(const auto source,
                         database.FindSourceById(options.id));
  if (!stored.has_value() && !source.has_value()) return absl::OkStatus();
  const size_t slash = options.picture.rfind('/');
  Confinement files{
      .read = {},
      .write = {options.store, slash == std::string::npos
                                   ? "."
                                   : options.picture.substr(0, slash + 1)}};
  if (source.has_value()) files.read.push_back(source->name);
  HILUM_RETURN_IF_ERROR(Confine(files));
  return stored.has_value()
             ? WriteCasePicture(options.store, options.id, options.picture)
             : WriteFilePicture(source->name, options.picture);
}

absl::Status Show(const Options& options, std::ostream& out) {
  HILUM_ASSIGN_OR_RETURN(auto database, OpenToLook(options));
  if (!options.picture.empty()) {
    HILUM_RETURN_IF_ERROR(WritePicture(options, *database));
  }
  HILUM_ASSIGN_OR_RETURN(const auto stored, database->FindCase(options.id));
  if (stored.has_value()) {
    out << CaseLine(*stored) << "\npatient " << stored->patient
        << (stored->has_mask ? ", with lung mask" : ", without lung mask")
        << (stored->turn == Turn{}
                ? ""
                : absl::StrCat(", kept ", NameOf(stored->turn)))
        << "\n";
    HILUM_ASSIGN_OR_RETURN(const std::vector<Source> sources,
                           database->SourcesOf(options.id));
    for (const Source& source : sources) out << "  " << source.name << "\n";
    return ShowHistory(*database, options.id, out);
  }
  HILUM_ASSIGN_OR_RETURN(const auto source,
                         database->FindSourceById(options.id));
  if (!source.has_value()) {
    return absl::NotFoundError(absl::StrCat(
        "no case ", options.id, "; `hilum-ingest list` shows those there are"));
  }
  out << source->id << "  refused: " << source->reason << "\n  " << source->name
      << "\n";
  return ShowHistory(*database, options.id, out);
}

absl::Status Quarantine(const Options& options, std::ostream& out) {
  HILUM_ASSIGN_OR_RETURN(auto intake, OpenToChange(options));
  HILUM_RETURN_IF_ERROR(intake->Quarantine(options.id, options.reason));
  out << options.id << " is in quarantine\n";
  return intake->Export();
}

absl::Status Release(const Options& options, std::ostream& out) {
  HILUM_ASSIGN_OR_RETURN(auto intake, OpenToChange(options));
  // Releasing decodes a file that was refused.
  HILUM_ASSIGN_OR_RETURN(const std::optional<Source> source,
                         intake->database().FindSourceById(options.id));
  IngestFiles files{.store = options.store,
                    .key_file = options.key_file,
                    .read = {},
                    .write = {}};
  if (source.has_value()) files.read.push_back(source->name);
  HILUM_RETURN_IF_ERROR(ConfineIngest(std::move(files), RealSecureRng()));
  const Turn turn = Then({options.turn / 90, false}, Turn{0, options.mirror});
  HILUM_ASSIGN_OR_RETURN(const Outcome outcome,
                         intake->Release(options.id, turn));
  HILUM_RETURN_IF_ERROR(intake->Export());
  if (outcome.case_id.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(options.id, ": still refused: ", outcome.reason));
  }
  out << outcome.case_id << " is " << NameOf(outcome.state)
      << (outcome.reason.empty() ? "" : ": ") << outcome.reason << "\n";
  return absl::OkStatus();
}

using Run = absl::Status (*)(const Options&, std::ostream&);

CLI::App* AddCommand(CLI::App& app, const char* name, const char* description,
                     const char* example, Run run,
                     const std::shared_ptr<Options>& options, std::ostream& out,
                     IngestAction& action) {
  CLI::App* command = app.add_subcommand(name, description);
  command->add_option("--store", options->store, "The case store's folder")
      ->required();
  command->footer(absl::StrCat("Example: hilum-ingest ", example));
  command->callback([options, run, &out, &action] {
    action = [options, run, &out] { return run(*options, out); };
  });
  return command;
}

}  // namespace

void AddCaseCommands(CLI::App& app, std::ostream& out, IngestAction& action) {
  auto options = std::make_shared<Options>();  // shared with the callbacks
  CLI::App* list = AddCommand(
      app, "list", "List a store's cases, or what is in quarantine and why",
      "list --store /data/cases --quarantined", List, options, out, action);
  CLI::Option* quarantined =
      list->add_flag("--quarantined", options->quarantined,
                     "Only cases in quarantine, and refused files");
  CLI::Option* json =
      list->add_flag("--json", options->json, "One JSON object a line");
  list->add_flag("--csv", options->csv, "As quarantine.csv")
      ->needs(quarantined)
      ->excludes(json);
  CLI::App* show = AddCommand(
      app, "show", "Show a case or a refused file, with its history",
      "show --store /data/cases 6b1f0c2d4e5a6978", Show, options, out, action);
  show->add_option("--picture", options->picture,
                   "A PNG to write: what the case or the refused file shows");
  CLI::App* quarantine = AddCommand(
      app, "quarantine", "Keep a case out of cases.csv",
      "quarantine --store /data/cases 6b1f0c2d4e5a6978 --reason 'drain'",
      Quarantine, options, out, action);
  quarantine->add_option("--reason", options->reason, "Why; no patient data")
      ->required()
      ->check([](const std::string& text) {
        return text.empty() ? "a reason is needed" : "";
      });
  CLI::App* release =
      AddCommand(app, "release",
                 "Undo `quarantine`, take what looks turned, or take in a "
                 "file that was not chosen",
                 "release --store /data/cases 6b1f0c2d4e5a6978", Release,
                 options, out, action);
  release
      ->add_option("--turn", options->turn,
                   "Turn the stored images of the case by these degrees, "
                   "clockwise")
      ->check(CLI::IsMember({90, 180, 270}));
  release->add_flag("--mirror", options->mirror,
                    "Mirror it left to right, after --turn");
  for (CLI::App* command : {show, quarantine, release}) {
    command->add_option("CASE", options->id, "As `list` shows it")->required();
  }
  for (CLI::App* command : {quarantine, release}) {
    command->add_option("--key", options->key_file,
                        "Patients' key; default STORE/patient.key");
  }
}

}  // namespace hilum
