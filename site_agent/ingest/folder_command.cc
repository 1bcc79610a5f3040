// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "common/base/clock.h"
#include "common/crypto/secure_rng.h"
#include "site_agent/ingest/commands.h"
#include "site_agent/ingest/folder.h"

namespace hilum {
namespace {

absl::Status ConfineTo(const FolderOptions& options, const FolderWalk& walk) {
  IngestFiles files{.store = options.store,
                    .key_file = options.key_file,
                    .read = PathsOf(walk),
                    .write = {}};
  if (!options.labels.empty()) files.read.push_back(options.labels);
  if (!options.words.empty()) files.read.push_back(options.words);
  if (!options.masks.empty()) {
    const absl::StatusOr<FolderWalk> masks = WalkFolder(options.masks, {});
    // A missing folder has no masks.
    if (masks.ok()) {
      for (std::string& path : PathsOf(*masks)) {
        files.read.push_back(std::move(path));
      }
    }
  }
  return ConfineIngest(std::move(files), RealSecureRng());
}

}  // namespace

void AddFolderCommand(CLI::App& app, std::ostream& out, IngestAction& action) {
  auto options = std::make_shared<FolderOptions>();  // shared with the callback
  CLI::App* command = app.add_subcommand(
      "folder",
      "Take the images below a folder into a case store; again to go on, or to "
      "add what is new");
  command->add_option("DIR", options->folder, "The images' folder")->required();
  command->add_option("--store", options->store, "The case store's folder")
      ->required();
  command->add_option("--labels", options->labels,
                      "CSV: label, and PatientID, StudyInstanceUID, "
                      "AccessionNumber or file");
  command->add_option("--masks", options->masks,
                      "Lung masks: DIR/x/y.dcm has MASKS/x/y.png, or "
                      "MASKS/SOPINSTANCEUID.png");
  command->add_option("--key", options->key_file,
                      "Patients' key; default STORE/patient.key");
  command->add_option("--words", options->words,
                      "Your own words for chest, AP, PA ...: lines such as "
                      "`ap: bettaufnahme`; the store keeps them");
  command->add_option("--threads", options->threads, "Default: the processors")
      ->check(CLI::Range(1, 256));
  command->footer(
      "Example: hilum-ingest folder /data/cxr --store /data/cases "
      "--labels labels.csv");
  command->callback([options, &out, &action] {
    action = [options, &out] {
      options->terminal = isatty(STDERR_FILENO) == 1;
      options->confine = [options = options.get()](const FolderWalk& walk) {
        return ConfineTo(*options, walk);
      };
      return IngestFolder(*options, out, std::cerr, RealClock(),
                          RealSecureRng());
    };
  });
}

}  // namespace hilum
