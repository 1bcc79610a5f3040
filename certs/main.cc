// SPDX-License-Identifier: Apache-2.0
// hilum-certs: a consortium's certificates.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "absl/strings/str_format.h"
#include "certs/commands.h"
#include "common/base/clock.h"
#include "common/base/ids.h"

int main(int argc, char** argv) {
  CLI::App app("hilum-certs: a consortium's certificates");
  app.set_version_flag("--version", std::string(hilum::SoftwareVersion()));
  app.require_subcommand(1);
  app.footer("Example: hilum-certs site --name st-mary --out tls");
  hilum::CertsAction action;
  hilum::AddInitCommand(app, hilum::RealClock(), action);
  hilum::AddSiteCommand(app, action);
  hilum::AddSignCommand(app, hilum::RealClock(), action);
  hilum::AddShowCommand(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const absl::Status status = action();
  if (status.ok()) return 0;
  absl::FPrintF(stderr, "hilum-certs: %s\n", std::string(status.message()));
  return 1;
}
