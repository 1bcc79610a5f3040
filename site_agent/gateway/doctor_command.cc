// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <csignal>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/ids.h"
#include "common/base/private_file.h"
#include "common/base/status_macros.h"
#include "common/crypto/certificate.h"
#include "site_agent/gateway/commands.h"
#include "site_agent/gateway/egress_gate.h"
#include "site_agent/gateway/ledger.h"
#include "site_agent/gateway/service/grpc_transport.h"
#include "site_agent/gateway/site_config.h"
#include "site_agent/gateway/site_session.h"
#include "site_agent/sandbox/describe.h"

namespace hilum {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(10);

// A question that any coordinator answers at once.
absl::Status Ask(const v1::SiteConfig& config, const Identity& identity) {
  HILUM_RETURN_IF_ERROR(MakePrivateFolder(config.state_dir()));
  HILUM_ASSIGN_OR_RETURN(
      std::unique_ptr<Ledger> ledger,
      Ledger::Open(absl::StrCat(config.state_dir(), "/doctor.jsonl"),
                   RealClock()));
  GrpcTransport transport(config.coordinator(), identity);
  HILUM_ASSIGN_OR_RETURN(Approvals approvals,
                         Approvals::Open(config.state_dir()));
  EgressFacts facts({.site = identity.name.site}, approvals, RealClock());
  EgressGate gate(transport, *ledger, approvals, facts);
  v1::NextTaskRequest request = SiteSession(config.policy()).Poll({}, {}, {});
  request.set_wait_ms(0);
  v1::NextTaskResponse response;
  return gate.Call("NextTask", request, &response, kPatience);
}

class Checks {
 public:
  void Report(absl::string_view what, const absl::Status& status) {
    std::cout << (status.ok() ? "ok    " : "FAIL  ") << what;
    if (!status.ok()) std::cout << ": " << status.message();
    std::cout << "\n";
    failed_ |= !status.ok();
  }
  // What does not hold on this machine is for people to weigh.
  void Report(const Hold& hold) {
    std::cout << (hold.holds ? "ok    " : "note  ") << hold.text << "\n";
  }
  absl::Status result() const {
    return failed_ ? absl::FailedPreconditionError("see the lines with FAIL")
                   : absl::OkStatus();
  }

 private:
  bool failed_ = false;
};

absl::Status Access(const std::string& path, int mode, const char* what) {
  if (access(path.c_str(), mode) == 0) return absl::OkStatus();
  return ErrnoStatus(errno, what, path);
}

}  // namespace

absl::Status Doctor(const std::string& config_path) {
  std::signal(SIGPIPE, SIG_IGN);
  Checks checks;
  absl::StatusOr<v1::SiteConfig> config = LoadSiteConfig(config_path);
  checks.Report("configuration", config.status());
  if (!config.ok()) return checks.result();
  absl::StatusOr<Identity> identity =
      LoadIdentity(config->tls().authority(), config->tls().certificate(),
                   config->tls().private_key(), Role::kSite, RealClock().Now());
  checks.Report(
      identity.ok()
          ? absl::StrCat(
                "certificate of ", BearerUri(identity->name), ", valid until ",
                absl::FormatTime("%Y-%m-%d", identity->certificate.not_after,
                                 absl::UTCTimeZone()))
          : "certificate",
      identity.status());
  checks.Report("case manifest",
                Access(config->manifest(), R_OK, "cannot be read"));
  checks.Report("trainer", Access(config->trainer().binary(), X_OK,
                                  "cannot be run (trainer.binary)"));
  for (const Hold& hold : DescribeConfinement()) checks.Report(hold);
  if (identity.ok()) {
    checks.Report(absl::StrCat("coordinator ", config->coordinator()),
                  Ask(*config, *identity));
  }
  return checks.result();
}

}  // namespace hilum
