// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_COMMANDS_H_
#define HILUM_SITE_AGENT_INGEST_COMMANDS_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <iosfwd>

#include "absl/status/status.h"

namespace hilum {

// The action of the given command; run after parsing.
using IngestAction = std::function<absl::Status()>;

// `hilum-ingest inspect FILE... [--json]`: prints a line for each file to
// `out`. Fails if a file cannot be read; refusing a file is no failure.
void AddInspectCommand(CLI::App& app, std::ostream& out, IngestAction& action);

// `hilum-ingest folder DIR --store STORE ...`: see IngestFolder.
void AddFolderCommand(CLI::App& app, std::ostream& out, IngestAction& action);

// `hilum-ingest masks DIR --store STORE`: see IngestMasks.
void AddMasksCommand(CLI::App& app, std::ostream& out, IngestAction& action);

// `hilum-ingest list|show|quarantine|release`: a store's cases.
void AddCaseCommands(CLI::App& app, std::ostream& out, IngestAction& action);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_COMMANDS_H_
