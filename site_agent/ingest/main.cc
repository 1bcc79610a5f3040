// SPDX-License-Identifier: Apache-2.0
// hilum-ingest: radiographs as a hospital has them.
#include <iostream>

#include "common/base/malloc.h"
#include "common/base/private_file.h"
#include "common/cli/program.h"
#include "site_agent/ingest/commands.h"
#include "site_agent/ingest/network/listen.h"
#include "site_agent/sandbox/dumpable.h"

int main(int argc, char** argv) {
  // Its threads process images one after the other, of similar sizes.
  hilum::TuneMallocForTraining();
  hilum::MakeFilesPrivate();
  hilum::Program program(
      "hilum-ingest",
      "Takes radiographs, as a hospital has them, into a store.",
      {"hilum-ingest folder /data/cxr --store /data/cases --labels "
       "labels.csv"});
  hilum::AddInspectCommand(program.app(), std::cout, program.action());
  hilum::AddFolderCommand(program.app(), std::cout, program.action());
  hilum::AddListenCommand(program.app(), program.action());
  hilum::AddQueryCommand(program.app(), std::cout, program.action());
  hilum::AddMasksCommand(program.app(), std::cout, program.action());
  hilum::AddCaseCommands(program.app(), std::cout, program.action());
  return program.Run(argc, argv, hilum::HideMemory);
}
