// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <iostream>
#include <memory>

#include "common/base/clock.h"
#include "common/crypto/secure_rng.h"
#include "site_agent/ingest/commands.h"
#include "site_agent/ingest/masks.h"

namespace hilum {

void AddMasksCommand(CLI::App& app, std::ostream& out, IngestAction& action) {
  auto options = std::make_shared<MaskOptions>();  // shared with the callback
  CLI::App* command = app.add_subcommand(
      "masks", "Give lung masks to cases that are in a store");
  command
      ->add_option("DIR", options->folder,
                   "Masks CASE.png or SOPINSTANCEUID.png (or .dcm), as "
                   "`hilum-trainer segment run` writes them")
      ->required();
  command->add_option("--store", options->store, "The case store's folder")
      ->required();
  command->add_option("--key", options->key_file,
                      "Patients' key; default STORE/patient.key");
  command->add_flag("--replace", options->replace,
                    "Replace masks that cases have already");
  command->footer(
      "Example: hilum-ingest masks /data/masks --store /data/cases");
  command->callback([options, &out, &action] {
    action = [options, &out] {
      options->terminal = isatty(STDERR_FILENO) == 1;
      options->confine = [options = options.get()](const FolderWalk& walk) {
        return ConfineIngest({.store = options->store,
                              .key_file = options->key_file,
                              .read = PathsOf(walk),
                              .write = {}},
                             RealSecureRng());
      };
      return IngestMasks(*options, out, std::cerr, RealClock(),
                         RealSecureRng());
    };
  });
}

}  // namespace hilum
