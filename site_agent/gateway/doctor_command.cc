// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <set>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/ids.h"
#include "common/base/private_file.h"
#include "common/base/status_macros.h"
#include "common/crypto/certificate.h"
#include "common/crypto/sha256.h"
#include "site_agent/gateway/approvals.h"
#include "site_agent/gateway/commands.h"
#include "site_agent/gateway/egress_gate.h"
#include "site_agent/gateway/ledger.h"
#include "site_agent/gateway/service/ask_trainer.h"
#include "site_agent/gateway/service/grpc_transport.h"
#include "site_agent/gateway/site_config.h"
#include "site_agent/gateway/site_session.h"
#include "site_agent/sandbox/describe.h"

namespace hilum {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(10);

// Asks a question that any coordinator answers at once.
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

// Returns the files of the studies that this site may take part in.
std::vector<std::string> StudyFiles(const v1::SiteConfig& config) {
  constexpr size_t kMost = 32;
  std::vector<std::string> paths;
  if (!FileExists(config.state_dir())) return paths;
  const absl::StatusOr<Approvals> approvals =
      Approvals::Open(config.state_dir());
  if (!approvals.ok()) return paths;
  const std::set<std::string> refused = approvals->Refused();
  for (const std::string& hash : approvals->Offered()) {
    if (approvals->HasEnded(hash) || refused.contains(hash)) continue;
    if (paths.size() == kMost) break;
    paths.push_back(
        absl::StrCat(approvals->studies_dir(), "/", ToHex(hash), ".study"));
  }
  return paths;
}

// Returns the arguments of `hilum-trainer check`: this process decodes no
// image.
std::vector<std::string> CheckArguments(const v1::SiteConfig& config,
                                        const std::string& config_path,
                                        const std::string& site) {
  std::vector<std::string> arguments = {"check", "--manifest",
                                        config.manifest()};
  for (const std::string& guarded :
       {config.state_dir(), config.patient_key_file(),
        config.tls().private_key(), config_path}) {
    arguments.insert(arguments.end(), {"--guard", guarded});
  }
  if (!config.site_column().empty()) {
    arguments.insert(arguments.end(),
                     {"--site-column", config.site_column(), "--site", site});
  }
  for (const std::string& study : StudyFiles(config)) {
    arguments.insert(arguments.end(), {"--study", study});
  }
  return arguments;
}

class Checks {
 public:
  void Report(absl::string_view what, const absl::Status& status) {
    std::cout << (status.ok() ? "ok    " : "FAIL  ") << what;
    if (!status.ok()) std::cout << ": " << status.message();
    std::cout << "\n";
    failed_ |= !status.ok();
  }
  // Prints a line of another program that checked something, in this form
  // already.
  void Repeat(std::string line) {
    for (char& c : line) {
      if (!absl::ascii_isprint(static_cast<unsigned char>(c))) c = '?';
    }
    std::cout << line << "\n";
    failed_ |= absl::StartsWith(line, "FAIL");
  }
  // A protection that this machine lacks is a note, which people must weigh.
  void Report(const Hold& hold) {
    std::cout << (hold.holds ? "ok    " : "note  ") << hold.text << "\n";
  }
  bool failed() const { return failed_; }
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

// Call before there are threads: it starts a program.
void CheckManifest(const v1::SiteConfig& config, const std::string& config_path,
                   const absl::StatusOr<Identity>& identity, Checks& checks) {
  const absl::Status readable =
      Access(config.manifest(), R_OK, "cannot be read");
  if (!readable.ok()) return checks.Report("case manifest", readable);
  // The certificate decides which rows count. A bad one has its own line
  // already.
  if (!config.site_column().empty() && !identity.ok()) return;
  std::cout << std::flush;
  const absl::StatusOr<TrainerAnswer> answer =
      AskTrainer(config.trainer().binary(),
                 CheckArguments(config, config_path,
                                identity.ok() ? identity->name.site : ""));
  if (!answer.ok()) return checks.Report("case manifest", answer.status());
  for (const std::string& line : answer->lines) checks.Repeat(line);
  if (answer->exit_code == 0 ||
      (answer->exit_code == 1 && checks.failed() && !answer->lines.empty())) {
    return;
  }
  checks.Report("case manifest",
                absl::FailedPreconditionError(absl::StrCat(
                    "`", config.trainer().binary(), " check` ended with code ",
                    answer->exit_code, "; run it by hand with --manifest ",
                    config.manifest())));
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
  const absl::Status trainer = Access(config->trainer().binary(), X_OK,
                                      "cannot be run (trainer.binary)");
  checks.Report("trainer", trainer);
  if (trainer.ok()) CheckManifest(*config, config_path, identity, checks);
  for (const Hold& hold : DescribeConfinement()) checks.Report(hold);
  if (identity.ok()) {
    checks.Report(absl::StrCat("coordinator ", config->coordinator()),
                  Ask(*config, *identity));
  }
  return checks.result();
}

}  // namespace hilum
