// SPDX-License-Identifier: Apache-2.0
#include "certs/commands.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "certs/authority.h"
#include "certs/describe.h"
#include "certs/issuance_list.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/cli/usage.h"

namespace hilum {
namespace {

struct Arguments {
  std::string name;  // consortium or site
  bool coordinator = false;
  std::vector<std::string> hosts;
  std::string file;
  std::string out;
  bool force = false;
};

// Returns a typed value; an invalid name or host is wrong usage.
template <typename T>
absl::StatusOr<T> Typed(absl::StatusOr<T> made) {
  if (absl::IsInvalidArgument(made.status())) return AsUsage(made.status());
  return made;
}

absl::Status Init(const Arguments& a, Clock& clock) {
  const std::string key = absl::StrCat(a.out, "/ca.key");
  const std::string certificate = absl::StrCat(a.out, "/ca.crt");
  const std::string list = absl::StrCat(a.out, "/", kIssuanceFile);
  HILUM_RETURN_IF_ERROR(CheckFree({key, certificate, list}, a.force));
  HILUM_ASSIGN_OR_RETURN(Authority authority,
                         Typed(MakeAuthority(a.name, clock.Now())));
  HILUM_RETURN_IF_ERROR(MakeDirectories(a.out));
  HILUM_RETURN_IF_ERROR(WriteFileAtomically(key, authority.private_key_pem,
                                            Durability::kSync, 0600));
  HILUM_RETURN_IF_ERROR(
      WriteFileAtomically(certificate, authority.certificate_pem));
  HILUM_RETURN_IF_ERROR(IssuanceList::Make(list));
  absl::PrintF(
      "%s: give it to every member\n%s: keep it, show it to nobody\n"
      "%s: what was issued; keep a backup\n",
      certificate, key, list);
  return absl::OkStatus();
}

absl::Status MakeSite(const Arguments& a) {
  const std::string name = a.coordinator ? "coordinator" : a.name;
  const std::string key = absl::StrCat(a.out, "/", name, ".key");
  const std::string csr = absl::StrCat(a.out, "/", name, ".csr");
  HILUM_RETURN_IF_ERROR(CheckFree({key, csr}, a.force));
  HILUM_ASSIGN_OR_RETURN(Request request,
                         Typed(MakeRequest({.site = a.coordinator ? "" : a.name,
                                            .hosts = a.hosts})));
  HILUM_RETURN_IF_ERROR(MakeDirectories(a.out));
  HILUM_RETURN_IF_ERROR(WriteFileAtomically(key, request.private_key_pem,
                                            Durability::kSync, 0600));
  HILUM_RETURN_IF_ERROR(WriteFileAtomically(csr, request.request_pem));
  absl::PrintF(
      "%s: send it to the consortium's lead\n%s: keep it, show it to nobody\n",
      csr, key);
  return absl::OkStatus();
}

absl::Status Show(const Arguments& a) {
  HILUM_ASSIGN_OR_RETURN(std::string pem, ReadFile(a.file, kMaxPem));
  if (absl::StrContains(pem, "CERTIFICATE REQUEST-----")) {
    const absl::StatusOr<ReceivedRequest> request = ParseRequest(pem);
    if (!request.ok()) return Naming(a.file, request.status());
    absl::PrintF("%s", DescribeRequest(*request));
    return absl::OkStatus();
  }
  const absl::StatusOr<std::string> described = DescribeCertificate(pem);
  if (!described.ok()) return Naming(a.file, described.status());
  absl::PrintF("%s", *described);
  return absl::OkStatus();
}

}  // namespace

void AddInitCommand(CLI::App& app, Clock& clock, CertsAction& action) {
  auto a = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "init",
      "Make a consortium's authority: OUT/ca.key, OUT/ca.crt, OUT/issued.csv");
  command->add_option("--consortium", a->name, "Its name")->required();
  command->add_option("--out", a->out, "Folder")->required();
  command->add_flag("--force", a->force, "Replace what is there");
  command->footer(
      "Example: hilum-certs init --consortium lungs --out authority");
  command->callback([a, &clock, &action] {
    action = [a, &clock] { return Init(*a, clock); };
  });
}

void AddSiteCommand(CLI::App& app, CertsAction& action) {
  auto a = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "site", "Make a member's key and request: OUT/NAME.key, OUT/NAME.csr");
  command->add_option("--name", a->name, "The site's name")->required();
  command->add_flag("--coordinator", a->coordinator,
                    "For the coordinator, not for a site");
  command->add_option("--host", a->hosts,
                      "Name or address under which sites reach the "
                      "coordinator; may be repeated");
  command->add_option("--out", a->out, "Folder")->required();
  command->add_flag("--force", a->force, "Replace what is there");
  command->footer("Example: hilum-certs site --name st-mary --out tls");
  command->callback([a, &action] { action = [a] { return MakeSite(*a); }; });
}

void AddShowCommand(CLI::App& app, CertsAction& action) {
  auto a = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("show", "Say what a certificate or a request says");
  command->add_option("FILE", a->file, "Certificate or request, PEM")
      ->required();
  command->footer("Example: hilum-certs show st-mary.csr");
  command->callback([a, &action] { action = [a] { return Show(*a); }; });
}

}  // namespace hilum
