// SPDX-License-Identifier: Apache-2.0
#include "sim/simulated_consortium.h"

#include <utility>

#include "common/base/clock.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

constexpr char kName[] = "simulated";
constexpr int kDays = 30;

}  // namespace

SimulatedConsortium::SimulatedConsortium(Authority authority)
    : name_(kName),
      authority_(std::move(authority)),
      verifier_(authority_.certificate_pem, name_, RealClock()) {}

absl::StatusOr<std::unique_ptr<SimulatedConsortium>>
SimulatedConsortium::Create() {
  HILUM_ASSIGN_OR_RETURN(Authority authority,
                         MakeAuthority(kName, RealClock().Now()));
  return std::unique_ptr<SimulatedConsortium>(
      new SimulatedConsortium(std::move(authority)));
}

absl::StatusOr<SimulatedConsortium::Member> SimulatedConsortium::Join(
    const SiteId& site) const {
  HILUM_ASSIGN_OR_RETURN(Request request, MakeRequest({.site = site.name()}));
  HILUM_ASSIGN_OR_RETURN(Signer signer,
                         Signer::Create(request.private_key_pem));
  Member member{.signer = std::make_unique<Signer>(std::move(signer))};
  HILUM_ASSIGN_OR_RETURN(
      member.credentials.certificate_pem,
      SignRequest(authority_, request.request_pem, kDays, RealClock().Now()));
  member.credentials.signer = member.signer.get();
  member.credentials.verifier = &verifier_;
  return member;
}

}  // namespace hilum
