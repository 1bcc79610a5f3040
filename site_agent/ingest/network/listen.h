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
  int port = 0;  // 0: any that is free
  std::vector<std::string> allow;
  TlsFiles tls;
};

// Takes what peers send (C-STORE) until SIGTERM or SIGINT. Says on `out`
// "listening as AE on ADDRESS:PORT" once it does. Call with one thread and
// before any socket is opened. Errors as ReceivingIntake::Open's, Listener's,
// MakeTlsLayer's.
absl::Status Listen(const ListenOptions& options, std::ostream& out);

// DCMTK says what it thinks to nobody; what matters is said by status.
void SilenceDcmtk();

// Options that both commands have.
void AddReceivingOptions(CLI::App& command, ReceivingOptions& receiving,
                         std::string& ae_title, TlsFiles& tls);

// `hilum-ingest listen --store STORE --port N ...`, `hilum-ingest query ...`.
void AddListenCommand(CLI::App& app, std::ostream& out, IngestAction& action);
void AddQueryCommand(CLI::App& app, std::ostream& out, IngestAction& action);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_NETWORK_LISTEN_H_
