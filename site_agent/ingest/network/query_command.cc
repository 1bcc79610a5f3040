// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "site_agent/ingest/network/dicom_peer.h"
#include "site_agent/ingest/network/listen.h"
#include "site_agent/ingest/network/query.h"

namespace hilum {
namespace {

// Returns for CLI11 what is wrong with a value, or "".
std::string PeerFault(const std::string& text) {
  return std::string(ParsePeerAddress(text).status().message());
}

std::string DayFault(const std::string& text) {
  absl::CivilDay day;
  return absl::ParseCivilTime(text, &day) ? "" : "no day such as 2020-03-01";
}

// Adds the options for the service, and for C-MOVE's destination.
void AddFetchOptions(CLI::App& command, QueryOptions& options) {
  CLI::Option* get = command.add_flag_callback(
      "--get", [] {},
      "By C-GET, the default: the PACS needs not know where "
      "this AE is");
  CLI::Option* move = command.add_flag("--move", options.move,
                                       "By C-MOVE, to --port of this machine");
  CLI::Option* port = command.add_option(
      "--port", options.port, "With --move: the port that the PACS knows");
  port->check(CLI::Range(1, 65535));
  move->excludes(get)->needs(port);
  command
      .add_option("--bind", options.bind,
                  "With --move: IPv4 address of this machine that the PACS "
                  "sends to; 0.0.0.0: all of them")
      ->capture_default_str()
      ->needs(move);
  command
      .add_option("--allow", options.allow,
                  "With --move: AET or AET@HOST that may send beside --peer, "
                  "where the PACS sends under another title; again for more")
      ->needs(move);
}

// Adds the options that select images: by day or by name.
void AddSelectionOptions(CLI::App& command, QueryOptions& options) {
  QuerySelection& selection = options.selection;
  CLI::Option* from = command.add_option("--from", selection.from,
                                         "First study date, YYYY-MM-DD");
  CLI::Option* to =
      command.add_option("--to", selection.to, "Last study date, YYYY-MM-DD");
  from->check(DayFault)->needs(to);
  to->check(DayFault)->needs(from);
  command
      .add_option("--accession", selection.accessions,
                  "Accession numbers, with commas, instead of days")
      ->delimiter(',')
      ->excludes(from);
  command
      .add_option("--list", selection.list,
                  "CSV instead of days: a row for each patient, accession "
                  "number or study; its header names PatientID, "
                  "AccessionNumber or StudyInstanceUID, as a labels file's")
      ->excludes(from);
  command.add_option("--modality", selection.modalities, "Default: CR,DX")
      ->delimiter(',');
  command
      .add_option_function<std::string>(
          "--undated",
          [&options](const std::string& word) {
            options.undated = word == "fetch"    ? Undated::kFetch
                              : word == "ignore" ? Undated::kIgnore
                                                 : Undated::kCount;
          },
          "With days: what to do with studies without a date, count, fetch or "
          "ignore; default count. Unless they are ignored the PACS is asked "
          "for all its studies")
      ->check(CLI::IsMember({"count", "fetch", "ignore"}));
}

}  // namespace

void AddQueryCommand(CLI::App& app, std::ostream& out, IngestAction& action) {
  auto options = std::make_shared<QueryOptions>();  // shared with the callback
  CLI::App* command = app.add_subcommand(
      "query", "Fetch images that the store lacks from a PACS (C-FIND, C-GET)");
  options->receiving.actor = "query";
  AddReceivingOptions(*command, options->receiving, options->ae_title,
                      options->tls);
  command->add_option("--peer", options->peer, "The PACS: AET@HOST:PORT")
      ->required()
      ->check(PeerFault);
  AddSelectionOptions(*command, *options);
  AddFetchOptions(*command, *options);
  command->add_option("--pace", options->pace, "Images a minute at the most")
      ->check(CLI::Range(1, 100000));
  command->footer(
      "Example: hilum-ingest query --store /data/cases --peer "
      "PACS@pacs.hospital.example:104 --from 2020-03-01 --to 2020-06-30\n"
      "         hilum-ingest query --store /data/cases --peer "
      "PACS@pacs.hospital.example:104 --list labels.csv");
  command->callback([options, &out, &action] {
    const QuerySelection& selection = options->selection;
    if (selection.from.empty() && !selection.by_name()) {
      throw CLI::RequiredError("--from and --to, --accession or --list");
    }
    action = [options, &out] { return Query(*options, out); };
  });
}

}  // namespace hilum
