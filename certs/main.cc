// SPDX-License-Identifier: Apache-2.0
// hilum-certs: a consortium's certificates.
#include "certs/commands.h"
#include "common/base/clock.h"
#include "common/cli/program.h"

int main(int argc, char** argv) {
  hilum::Program program("hilum-certs",
                         "Makes and signs a consortium's certificates.",
                         {"hilum-certs init --consortium lungs --out authority",
                          "hilum-certs site --name st-mary --out tls"});
  hilum::AddInitCommand(program.app(), hilum::RealClock(), program.action());
  hilum::AddSiteCommand(program.app(), program.action());
  hilum::AddSignCommand(program.app(), hilum::RealClock(), program.action());
  hilum::AddShowCommand(program.app(), program.action());
  return program.Run(argc, argv);
}
