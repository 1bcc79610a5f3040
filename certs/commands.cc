// SPDX-License-Identifier: Apache-2.0
#include "certs/commands.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "certs/authority.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/crypto/certificate.h"

namespace hilum {
namespace {

constexpr uint64_t kMaxPem = 1 << 20;

struct Arguments {
  std::string name;  // of the consortium or the site
  bool coordinator = false;
  std::vector<std::string> hosts;
  std::string authority;
  std::string csr;
  std::string file;
  std::string out;
  int days = 397;
  bool force = false;
};

// ALREADY_EXISTS before anything is written.
absl::Status CheckFree(const std::vector<std::string>& paths, bool force) {
  for (const std::string& path : paths) {
    if (!force && FileExists(path)) {
      return absl::AlreadyExistsError(
          absl::StrCat(path, " is there already; --force to replace it"));
    }
  }
  return absl::OkStatus();
}

absl::Status Naming(const std::string& path, const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat(path, ": ", status.message()));
}

absl::Status Init(const Arguments& a, Clock& clock) {
  const std::string key = absl::StrCat(a.out, "/ca.key");
  const std::string certificate = absl::StrCat(a.out, "/ca.crt");
  HILUM_RETURN_IF_ERROR(CheckFree({key, certificate}, a.force));
  HILUM_ASSIGN_OR_RETURN(Authority authority,
                         MakeAuthority(a.name, clock.Now()));
  HILUM_RETURN_IF_ERROR(MakeDirectories(a.out));
  HILUM_RETURN_IF_ERROR(WriteFileAtomically(key, authority.private_key_pem,
                                            Durability::kSync, 0600));
  HILUM_RETURN_IF_ERROR(
      WriteFileAtomically(certificate, authority.certificate_pem));
  absl::PrintF("%s: give it to every member\n%s: keep it, show it to nobody\n",
               certificate, key);
  return absl::OkStatus();
}

absl::Status MakeSite(const Arguments& a) {
  const std::string name = a.coordinator ? "coordinator" : a.name;
  const std::string key = absl::StrCat(a.out, "/", name, ".key");
  const std::string csr = absl::StrCat(a.out, "/", name, ".csr");
  HILUM_RETURN_IF_ERROR(CheckFree({key, csr}, a.force));
  HILUM_ASSIGN_OR_RETURN(
      Request request,
      MakeRequest({.site = a.coordinator ? "" : a.name, .hosts = a.hosts}));
  HILUM_RETURN_IF_ERROR(MakeDirectories(a.out));
  HILUM_RETURN_IF_ERROR(WriteFileAtomically(key, request.private_key_pem,
                                            Durability::kSync, 0600));
  HILUM_RETURN_IF_ERROR(WriteFileAtomically(csr, request.request_pem));
  absl::PrintF(
      "%s: send it to the consortium's lead\n%s: keep it, show it to nobody\n",
      csr, key);
  return absl::OkStatus();
}

std::string Description(const CertificateInfo& info) {
  const auto day = [](absl::Time time) {
    return absl::FormatTime("%Y-%m-%d %H:%M UTC", time, absl::UTCTimeZone());
  };
  return absl::StrCat(
      "name         ", absl::StrJoin(info.uris, ", "), "\n", "subject      ",
      info.subject, info.is_authority ? " (authority)" : "", "\n",
      "hosts        ", absl::StrJoin(info.hosts, ", "), "\n", "issuer       ",
      info.issuer, "\n", "valid        ", day(info.not_before), " to ",
      day(info.not_after), "\n", "serial       ", info.serial, "\n",
      "fingerprint  ", info.fingerprint_sha256, "\n");
}

absl::Status Sign(const Arguments& a, Clock& clock) {
  HILUM_RETURN_IF_ERROR(CheckFree({a.out}, a.force));
  Authority authority;
  HILUM_ASSIGN_OR_RETURN(
      authority.private_key_pem,
      ReadFile(absl::StrCat(a.authority, "/ca.key"), kMaxPem));
  HILUM_ASSIGN_OR_RETURN(
      authority.certificate_pem,
      ReadFile(absl::StrCat(a.authority, "/ca.crt"), kMaxPem));
  HILUM_ASSIGN_OR_RETURN(std::string request, ReadFile(a.csr, kMaxPem));
  absl::StatusOr<std::string> certificate =
      SignRequest(authority, request, a.days, clock.Now());
  if (!certificate.ok()) return Naming(a.csr, certificate.status());
  HILUM_RETURN_IF_ERROR(WriteFileAtomically(a.out, *certificate));
  HILUM_ASSIGN_OR_RETURN(CertificateInfo info, ParseCertificate(*certificate));
  absl::PrintF("Signed %s\n%s", a.out, Description(info));
  return absl::OkStatus();
}

absl::Status Show(const Arguments& a) {
  HILUM_ASSIGN_OR_RETURN(std::string pem, ReadFile(a.file, kMaxPem));
  absl::StatusOr<CertificateInfo> info = ParseCertificate(pem);
  if (!info.ok()) return Naming(a.file, info.status());
  absl::PrintF("%s", Description(*info));
  return absl::OkStatus();
}

}  // namespace

void AddInitCommand(CLI::App& app, Clock& clock, CertsAction& action) {
  auto a = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "init", "Make a consortium's authority: OUT/ca.key and OUT/ca.crt");
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

void AddSignCommand(CLI::App& app, Clock& clock, CertsAction& action) {
  auto a = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("sign", "Sign a member's request, as the authority");
  command->add_option("--authority", a->authority, "Folder of `init`")
      ->required();
  command->add_option("--csr", a->csr, "The request")->required();
  command->add_option("--out", a->out, "The certificate to write")->required();
  command->add_option("--days", a->days, "Valid for")
      ->check(CLI::Range(1, 3650))
      ->capture_default_str();
  command->add_flag("--force", a->force, "Replace what is there");
  command->footer(
      "Example: hilum-certs sign --authority authority --csr st-mary.csr "
      "--out st-mary.crt");
  command->callback([a, &clock, &action] {
    action = [a, &clock] { return Sign(*a, clock); };
  });
}

void AddShowCommand(CLI::App& app, CertsAction& action) {
  auto a = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("show", "Say what a certificate says");
  command->add_option("FILE", a->file, "Certificate, PEM")->required();
  command->footer("Example: hilum-certs show st-mary.crt");
  command->callback([a, &action] { action = [a] { return Show(*a); }; });
}

}  // namespace hilum
