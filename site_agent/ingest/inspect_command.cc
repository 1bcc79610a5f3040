// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/base/status_macros.h"
#include "site_agent/ingest/commands.h"
#include "site_agent/ingest/inspect.h"
#include "site_agent/ingest/site_words.h"
#include "site_agent/sandbox/confine.h"

namespace hilum {
namespace {

struct Options {
  std::vector<std::string> files;
  std::string words;
  bool json = false;
};

std::string TableLine(const Inspection& found) {
  const std::string size =
      found.rows.has_value() && found.columns.has_value()
          ? absl::StrCat(*found.columns, " x ", *found.rows)
          : "-";
  const char* state = found.accepted  ? "accepted"
                      : found.decoded ? "decoded"
                                      : "refused";
  return absl::StrFormat(
      "%-8s  %-11s  %-4s  %-23s  %s%s%s%s%s", state, size,
      found.view.empty() ? "-" : found.view,
      found.transfer_syntax.empty() ? "-" : found.transfer_syntax, found.file,
      found.accepted ? "" : ": ", found.reason,
      found.notes.empty() ? "" : "; note: ", absl::StrJoin(found.notes, "; "));
}

absl::Status Inspect(const Options& options, std::ostream& out) {
  HILUM_ASSIGN_OR_RETURN(const FilmWords words, ReadSiteWords(options.words));
  HILUM_RETURN_IF_ERROR(Confine({.read = options.files, .write = {}}));
  if (!options.json) {
    out << absl::StrFormat("%-8s  %-11s  %-4s  %-23s  %s\n", "", "size", "view",
                           "transfer syntax", "file");
  }
  int unreadable = 0;
  for (const std::string& file : options.files) {
    const Inspection found = InspectFile(file, words);
    if (!found.readable) ++unreadable;
    // Flushes each line, for a reader of a pipe.
    out << (options.json ? InspectionJson(found) : TableLine(found))
        << std::endl;
  }
  if (unreadable == 0) return absl::OkStatus();
  return absl::NotFoundError(absl::StrCat(
      unreadable, " of ", options.files.size(), " files could not be read"));
}

}  // namespace

void AddInspectCommand(CLI::App& app, std::ostream& out, IngestAction& action) {
  auto options = std::make_shared<Options>();  // shared with the callback
  CLI::App* command = app.add_subcommand(
      "inspect", "Say which DICOM files are frontal chest radiographs");
  command->add_option("FILE", options->files, "DICOM files")->required();
  command->add_flag("--json", options->json, "One JSON object a line");
  command->add_option("--words", options->words,
                      "Your own words for chest, AP, PA ...: lines such as "
                      "`ap: bettaufnahme`");
  command->footer("Example: hilum-ingest inspect --json studies/*.dcm");
  command->callback([options, &out, &action] {
    action = [options, &out] { return Inspect(*options, out); };
  });
}

}  // namespace hilum
