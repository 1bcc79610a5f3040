// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "certs/authority.h"
#include "certs/commands.h"
#include "certs/describe.h"
#include "certs/issuance_list.h"
#include "common/base/file.h"
#include "common/base/private_file.h"
#include "common/base/status_macros.h"
#include "common/crypto/certificate.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

struct SignArguments {
  std::string authority, csr, out;
  std::string name, role;          // the request's expected name; empty: ask
  std::vector<std::string> hosts;  // the coordinator's hosts; empty: ask
  int days = 397;
  bool replace = false;
  bool force = false;

  // Returns whether the options confirm the whole request. A coordinator's
  // certificate is valid for each of its hosts, so the hosts are included.
  bool Confirmed() const {
    return !name.empty() && !role.empty() &&
           (role != "coordinator" || !hosts.empty());
  }
};

// Returns whether a person can be asked.
bool HasTerminal() { return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO); }

std::vector<std::string> Sorted(std::vector<std::string> hosts) {
  std::sort(hosts.begin(), hosts.end());
  return hosts;
}

absl::Status Mismatch(absl::string_view what, absl::string_view asked,
                      absl::string_view expected) {
  return absl::PermissionDeniedError(absl::StrCat(
      "not signed: the request asks for ", what, " '", asked, "', not '",
      expected, "'; refuse it, or ask its sender what it is for"));
}

// Compares the request with the authority's expectation.
absl::Status CheckExpected(const SignArguments& a, const RequestedName& name) {
  if (!a.role.empty() && a.role != RoleOf(name)) {
    return Mismatch("role", RoleOf(name), a.role);
  }
  if (!a.name.empty() && a.name != NameOf(name)) {
    return Mismatch("name", NameOf(name), a.name);
  }
  if (!a.hosts.empty() && Sorted(a.hosts) != Sorted(name.hosts)) {
    return Mismatch("hosts", absl::StrJoin(name.hosts, " "),
                    absl::StrJoin(a.hosts, " "));
  }
  return absl::OkStatus();
}

absl::Status Ask(const RequestedName& name) {
  std::vector<std::string> words = {RoleOf(name), NameOf(name)};
  words.insert(words.end(), name.hosts.begin(), name.hosts.end());
  const std::string answer = absl::StrJoin(words, " ");
  std::cout << "Type '" << answer
            << "' to sign it, anything else to refuse it: " << std::flush;
  std::string typed;
  std::getline(std::cin, typed);
  if (absl::StripAsciiWhitespace(typed) == answer) return absl::OkStatus();
  return absl::CancelledError("not signed: it was not confirmed");
}

absl::StatusOr<Authority> LoadAuthority(const std::string& folder) {
  const std::string key = absl::StrCat(folder, "/ca.key");
  HILUM_RETURN_IF_ERROR(CheckPrivateFile(key, "the authority's key"));
  Authority authority;
  HILUM_ASSIGN_OR_RETURN(authority.private_key_pem, ReadFile(key, kMaxPem));
  HILUM_ASSIGN_OR_RETURN(authority.certificate_pem,
                         ReadFile(absl::StrCat(folder, "/ca.crt"), kMaxPem));
  return authority;
}

// Writes the line of the list, then the certificate.
absl::Status Issue(const SignArguments& a, const RequestedName& name,
                   const std::string& kind, const std::string& certificate,
                   IssuanceList& list) {
  HILUM_ASSIGN_OR_RETURN(CertificateInfo info, ParseCertificate(certificate));
  HILUM_RETURN_IF_ERROR(list.Append(
      {.serial = info.serial,
       .name = NameOf(name),
       .role = RoleOf(name),
       .key = ToHex(KeyDigest(certificate)),
       .hosts = name.hosts,
       .not_after = absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", info.not_after,
                                     absl::UTCTimeZone()),
       .kind = kind}));
  HILUM_RETURN_IF_ERROR(WriteFileAtomically(a.out, certificate));
  HILUM_ASSIGN_OR_RETURN(std::string described,
                         DescribeCertificate(certificate));
  absl::PrintF("Signed %s (%s)\n%s", a.out, kind, described);
  return absl::OkStatus();
}

absl::Status SignReceived(const SignArguments& a, const Authority& authority,
                          const std::string& pem, absl::Time now) {
  HILUM_ASSIGN_OR_RETURN(ReceivedRequest request, ParseRequest(pem));
  absl::PrintF("%s asks for\n%s", a.csr, DescribeRequest(request));
  HILUM_RETURN_IF_ERROR(CheckExpected(a, request.name));
  HILUM_ASSIGN_OR_RETURN(
      IssuanceList list,
      IssuanceList::Open(absl::StrCat(a.authority, "/", kIssuanceFile)));
  HILUM_ASSIGN_OR_RETURN(std::string kind,
                         list.Kind(RoleOf(request.name), NameOf(request.name),
                                   ToHex(request.key_digest), a.replace));
  HILUM_ASSIGN_OR_RETURN(std::string certificate,
                         SignRequest(authority, pem, a.days, now));
  if (!a.Confirmed()) HILUM_RETURN_IF_ERROR(Ask(request.name));
  return Issue(a, request.name, kind, certificate, list);
}

absl::Status Sign(const SignArguments& a, Clock& clock) {
  HILUM_RETURN_IF_ERROR(CheckFree({a.out}, a.force));
  HILUM_ASSIGN_OR_RETURN(Authority authority, LoadAuthority(a.authority));
  HILUM_ASSIGN_OR_RETURN(std::string pem, ReadFile(a.csr, kMaxPem));
  return Naming(a.csr, SignReceived(a, authority, pem, clock.Now()));
}

// Reports wrong usage where nobody can be asked.
void NeedConfirmation(const SignArguments& a) {
  if (a.Confirmed() || HasTerminal()) return;
  throw CLI::ValidationError(
      "sign", absl::StrCat("say what the request must ask for, since nobody "
                           "can be asked without a terminal: add --name NAME "
                           "--role site|coordinator, and for a coordinator "
                           "each --host HOST (`hilum-certs show ",
                           a.csr, "` says what it asks for)"));
}

}  // namespace

void AddSignCommand(CLI::App& app, Clock& clock, CertsAction& action) {
  auto a = std::make_shared<SignArguments>();
  CLI::App* command =
      app.add_subcommand("sign", "Sign a member's request, as the authority");
  command->add_option("--authority", a->authority, "Folder of `init`")
      ->required();
  command->add_option("--csr", a->csr, "The request")->required();
  command->add_option("--out", a->out, "The certificate to write")->required();
  command->add_option("--name", a->name,
                      "The name that the request must ask for; 'coordinator' "
                      "for the coordinator. Without it and --role: ask");
  command->add_option("--role", a->role, "The role it must ask for")
      ->check(CLI::IsMember({"site", "coordinator"}));
  command->add_option("--host", a->hosts,
                      "A host that a coordinator must ask for; may be "
                      "repeated: all of them. Without it: ask");
  command->add_option("--days", a->days, "Valid for")
      ->check(CLI::Range(1, 3650))
      ->capture_default_str();
  command->add_flag("--replace", a->replace,
                    "Sign another key for a name that has one already");
  command->add_flag("--force", a->force, "Replace the file of --out");
  command->footer(
      "Example: hilum-certs sign --authority authority --csr st-mary.csr "
      "--name st-mary --role site --out st-mary.crt");
  command->callback([a, &clock, &action] {
    NeedConfirmation(*a);
    action = [a, &clock] { return Sign(*a, clock); };
  });
}

}  // namespace hilum
