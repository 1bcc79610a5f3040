// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_NETWORK_LISTEN_H_
#define HILUM_SITE_AGENT_INGEST_NETWORK_LISTEN_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "site_agent/ingest/commands.h"
#include "site_agent/ingest/network/tls_layer.h"
#include "site_agent/ingest/receiving_options.h"

namespace hilum {

struct ListenOptions {
  ReceivingOptions receiving;
  std::string ae_title = "HILUM";
  std::string bind = "127.0.0.1";
  int port = 0;  // 0: any free port
  std::vector<std::string> allow;
  TlsFiles tls;
};

// Takes objects that peers send (C-STORE) until SIGTERM or SIGINT. Prints
// "listening as AE on ADDRESS:PORT" to `out` when it is ready. Call with one
// thread and before any socket is opened. Errors as ReceivingIntake::Open,
// Listener and MakeTlsLayer.
absl::Status Listen(const ListenOptions& options, std::ostream& out);

// Silences DCMTK's log; its status codes report errors.
void SilenceDcmtk();

// Adds the options of both commands.
void AddReceivingOptions(CLI::App& command, ReceivingOptions& receiving,
                         std::string& ae_title, TlsFiles& tls);

// `hilum-ingest listen --store STORE --port N ...`, `hilum-ingest query ...`.
void AddListenCommand(CLI::App& app, IngestAction& action);
void AddQueryCommand(CLI::App& app, std::ostream& out, IngestAction& action);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_NETWORK_LISTEN_H_
