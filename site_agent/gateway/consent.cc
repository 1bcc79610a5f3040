// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/consent.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/config/census.h"
#include "common/config/pinned_keys.h"
#include "common/crypto/sha256.h"
#include "common/crypto/short_hash.h"
#include "site_agent/gateway/site_session.h"
#include "site_agent/gateway/trusted_peers.h"

namespace hilum {
namespace {

// Returns what the officer types to accept these risks.
std::string HowToAccept(const std::string& hash,
                        const std::vector<Risk>& risks) {
  std::set<std::string> names;
  for (const Risk& risk : risks) names.insert(risk.name);
  return absl::StrCat(
      "\nTo accept it, the officer types\n  hilum-site study approve --config "
      "SITE.yaml ",
      ShortHash(hash), " --accept ", absl::StrJoin(names, ","),
      "\nhilum-site serve then tries again by itself");
}

absl::Status CheckRisks(const Approvals& approvals, const std::string& hash,
                        const std::vector<Risk>& risks) {
  HILUM_ASSIGN_OR_RETURN(Acceptance accepted, approvals.Accepted(hash));
  absl::Status checked = CheckAccepted(risks, accepted.risks);
  if (checked.ok()) return checked;
  return absl::FailedPreconditionError(
      absl::StrCat(checked.message(), HowToAccept(hash, risks)));
}

// Leaves out the studies whose own approval has accepted the risk. An approved
// study was compared with all studies before it, so a risk that it shares with
// another study came with that later study, and the approval of the later study
// named and accepted the risk.
std::vector<PastStudy> NotAccepting(std::vector<PastStudy> past,
                                    absl::string_view risk) {
  std::erase_if(past, [&](const PastStudy& study) {
    return study.accepted.contains(std::string(risk));
  });
  return past;
}

// Returns the study's risks, without those that it shares with a later study
// whose approval has accepted them.
std::vector<Risk> RisksNotTaken(const AskedSite& asked,
                                const Approvals& approvals,
                                const std::string& hash,
                                const v1::Study& study) {
  const std::vector<PastStudy> past = PastStudies(approvals, hash);
  std::vector<Risk> risks = RisksOf(study, asked.site, asked.policy,
                                    NotAccepting(past, kSiteUpdatesInferable));
  std::erase_if(risks,
                [](const Risk& risk) { return risk.name == kCountsInferable; });
  for (Risk& risk : RisksOf(study, asked.site, asked.policy,
                            NotAccepting(past, kCountsInferable))) {
    if (risk.name == kCountsInferable) risks.push_back(std::move(risk));
  }
  return risks;
}

absl::Status CheckWeights(const Approvals& approvals, const std::string& hash,
                          const v1::Study& study) {
  HILUM_ASSIGN_OR_RETURN(Acceptance accepted, approvals.Accepted(hash));
  if (accepted.weights_sha256 == study.initial_weights_sha256()) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "this study's approval does not name its starting weights, ",
      ToHex(study.initial_weights_sha256()),
      "; approve it again with this release, which finds out where they come "
      "from: hilum-site study approve --config SITE.yaml ",
      ShortHash(hash)));
}

}  // namespace

std::vector<PastStudy> PastStudies(const Approvals& approvals,
                                   absl::string_view hash) {
  std::vector<PastStudy> past;
  for (const std::string& earlier : approvals.EverApproved()) {
    if (earlier == hash) continue;
    const absl::StatusOr<std::string> bytes = approvals.Offer(earlier);
    PastStudy study{.hash = earlier};
    const absl::StatusOr<Acceptance> accepted = approvals.Accepted(earlier);
    if (accepted.ok()) study.accepted = accepted->risks;
    // The rules may have changed since: only its sites and weights are read.
    if (bytes.ok() && study.study.ParseFromString(*bytes)) {
      past.push_back(std::move(study));
    }
  }
  return past;
}

std::vector<std::string> ConflictsOf(const AskedSite& asked,
                                     const v1::Study& study) {
  std::vector<std::string> conflicts;
  const auto& sites = study.sites();
  if (std::find(sites.begin(), sites.end(), asked.site.name()) == sites.end()) {
    conflicts.push_back(
        absl::StrCat("the study's sites do not include ", asked.site.name()));
  } else if (absl::Status own =
                 CheckPinnedKey(study, asked.site, asked.certificate_pem);
             !own.ok()) {
    conflicts.push_back(
        absl::StrCat(own.message(),
                     ": it was submitted with another certificate of this "
                     "site; ask the coordinator whose"));
  }
  for (const absl::Status& rule :
       {SiteSession(asked.policy).CheckPolicy(study),
        CheckTrusted(asked.policy, study, OtherSites(study, asked.site))}) {
    if (!rule.ok()) conflicts.emplace_back(rule.message());
  }
  return conflicts;
}

absl::Status CheckConsent(const AskedSite& asked, const Approvals& approvals,
                          const std::string& hash, const v1::Study& study) {
  HILUM_RETURN_IF_ERROR(
      CheckPinnedKey(study, asked.site, asked.certificate_pem));
  HILUM_RETURN_IF_ERROR(
      CheckTrusted(asked.policy, study, OtherSites(study, asked.site)));
  HILUM_RETURN_IF_ERROR(CheckRisks(
      approvals, hash, RisksNotTaken(asked, approvals, hash, study)));
  return CheckWeights(approvals, hash, study);
}

absl::Status CheckPatientsConsent(const Approvals& approvals,
                                  const std::string& hash,
                                  const v1::Study& study,
                                  const ArmCensuses& arms) {
  v1::SubmitCensusRequest now;
  *now.mutable_arms() = arms;
  const auto census_path = [&](absl::string_view of) {
    return absl::StrCat(approvals.studies_dir(), "/", ToHex(of), ".census");
  };
  std::vector<PastStudy> all = PastStudies(approvals, hash);
  // Its first census was compared with all studies before it.
  if (FileExists(census_path(hash))) {
    all = NotAccepting(std::move(all), kPatientsInferable);
  }
  std::vector<Risk> risks;
  for (const PastStudy& past : all) {
    const absl::StatusOr<std::string> bytes = ReadFile(census_path(past.hash));
    v1::SubmitCensusRequest census;
    // No census: nothing of that study ever left.
    if (!bytes.ok() || !census.ParseFromString(*bytes)) continue;
    std::optional<Risk> risk = PatientsRisk(study, now, past, census);
    if (risk.has_value()) risks.push_back(*std::move(risk));
  }
  return CheckRisks(approvals, hash, risks);
}

Acceptance AcceptEverything(const v1::Study& study) {
  Acceptance accepted{.weights_sha256 = study.initial_weights_sha256()};
  for (std::string& name : RiskNames()) accepted.risks.insert(std::move(name));
  return accepted;
}

}  // namespace hilum
