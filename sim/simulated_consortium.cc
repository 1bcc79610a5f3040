// SPDX-License-Identifier: Apache-2.0
#include "sim/simulated_consortium.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

constexpr char kName[] = "simulated";
constexpr int kDays = 30;

// A private key and the certificate for it, PEM.
struct KeyPair {
  std::string private_key;
  std::string certificate;
};

// Returns the pair in FOLDER/NAME.key and .crt; nothing where there is no
// certificate.
absl::StatusOr<std::optional<KeyPair>> ReadPair(const std::string& folder,
                                                const std::string& name) {
  const std::string path = absl::StrCat(folder, "/", name);
  if (folder.empty() || !FileExists(path + ".crt")) return std::nullopt;
  KeyPair pair;
  HILUM_ASSIGN_OR_RETURN(pair.private_key, ReadFile(path + ".key"));
  HILUM_ASSIGN_OR_RETURN(pair.certificate, ReadFile(path + ".crt"));
  return pair;
}

// Writes the certificate last: where it exists, its key exists.
absl::Status WritePair(const std::string& folder, const std::string& name,
                       const KeyPair& pair) {
  if (folder.empty()) return absl::OkStatus();
  const std::string path = absl::StrCat(folder, "/", name);
  HILUM_RETURN_IF_ERROR(MakeDirectories(folder));
  HILUM_RETURN_IF_ERROR(WriteFileAtomically(path + ".key", pair.private_key,
                                            Durability::kNone, 0600));
  return WriteFileAtomically(path + ".crt", pair.certificate, Durability::kNone,
                             0600);
}

}  // namespace

SimulatedConsortium::SimulatedConsortium(Authority authority,
                                         std::string folder)
    : name_(kName),
      authority_(std::move(authority)),
      folder_(std::move(folder)),
      verifier_(authority_.certificate_pem, name_, RealClock()) {}

absl::StatusOr<std::unique_ptr<SimulatedConsortium>>
SimulatedConsortium::Create() {
  return Open("");
}

absl::StatusOr<std::unique_ptr<SimulatedConsortium>> SimulatedConsortium::Open(
    const std::string& folder) {
  HILUM_ASSIGN_OR_RETURN(std::optional<KeyPair> kept, ReadPair(folder, "ca"));
  Authority authority;
  if (kept.has_value()) {
    authority = {.private_key_pem = kept->private_key,
                 .certificate_pem = kept->certificate};
  } else {
    HILUM_ASSIGN_OR_RETURN(authority, MakeAuthority(kName, RealClock().Now()));
    HILUM_RETURN_IF_ERROR(WritePair(
        folder, "ca", {authority.private_key_pem, authority.certificate_pem}));
  }
  return std::unique_ptr<SimulatedConsortium>(
      new SimulatedConsortium(std::move(authority), folder));
}

absl::StatusOr<SimulatedConsortium::Member> SimulatedConsortium::Join(
    const SiteId& site) const {
  // A site may be called "ca" too.
  const std::string name = absl::StrCat("site-", site.name());
  HILUM_ASSIGN_OR_RETURN(std::optional<KeyPair> pair, ReadPair(folder_, name));
  if (!pair.has_value()) {
    HILUM_ASSIGN_OR_RETURN(Request request, MakeRequest({.site = site.name()}));
    pair.emplace().private_key = request.private_key_pem;
    HILUM_ASSIGN_OR_RETURN(
        pair->certificate,
        SignRequest(authority_, request.request_pem, kDays, RealClock().Now()));
    HILUM_RETURN_IF_ERROR(WritePair(folder_, name, *pair));
  }
  HILUM_ASSIGN_OR_RETURN(Signer signer, Signer::Create(pair->private_key));
  Member member{.signer = std::make_unique<Signer>(std::move(signer))};
  member.credentials.certificate_pem = pair->certificate;
  member.credentials.signer = member.signer.get();
  member.credentials.verifier = &verifier_;
  return member;
}

}  // namespace hilum
