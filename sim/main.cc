// SPDX-License-Identifier: Apache-2.0
// hilum-sim: a whole consortium on one machine.
#include "common/base/malloc.h"
#include "common/cli/program.h"
#include "sim/commands.h"

int main(int argc, char** argv) {
  hilum::TuneMallocForTraining();
  hilum::Program program(
      "hilum-sim", "Runs a whole consortium on one machine.",
      {"hilum-sim run sim/scenarios/demo.yaml --phantoms 120 --out out/run"});
  hilum::AddRunCommand(program.app(), program.action());
  hilum::AddPhantomsCommand(program.app(), program.action());
  hilum::AddPartitionCommand(program.app(), program.action());
  hilum::AddTableCommand(program.app(), program.action());
  return program.Run(argc, argv);
}
