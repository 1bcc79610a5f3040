// SPDX-License-Identifier: Apache-2.0
// hilum-ingest: radiographs as a hospital has them.
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <string>

#include "absl/strings/str_format.h"
#include "common/base/ids.h"
#include "common/base/malloc.h"
#include "site_agent/ingest/commands.h"
#include "site_agent/ingest/network/listen.h"
#include "site_agent/sandbox/dumpable.h"

int main(int argc, char** argv) {
  // Images pass through its threads one after the other, of like sizes.
  hilum::TuneMallocForTraining();
  // What it writes is the owner's alone.
  umask(077);
  absl::Status status = hilum::HideMemory();
  CLI::App app("hilum-ingest: radiographs as a hospital has them");
  app.set_version_flag("--version", std::string(hilum::SoftwareVersion()));
  app.require_subcommand(1);
  app.footer(
      "Example: hilum-ingest folder /data/cxr --store /data/cases --labels "
      "labels.csv");
  hilum::IngestAction action;
  hilum::AddInspectCommand(app, std::cout, action);
  hilum::AddFolderCommand(app, std::cout, action);
  hilum::AddListenCommand(app, std::cout, action);
  hilum::AddQueryCommand(app, std::cout, action);
  hilum::AddMasksCommand(app, std::cout, action);
  hilum::AddCaseCommands(app, std::cout, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (status.ok()) status = action();
  if (status.ok()) return 0;
  absl::FPrintF(stderr, "hilum-ingest: %s\n", std::string(status.message()));
  return 1;
}
