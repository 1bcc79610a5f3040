// SPDX-License-Identifier: Apache-2.0
#include "common/secagg/context.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/config/cohort_rules.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

void Append(std::string& out, absl::string_view part) {
  const auto size = static_cast<uint32_t>(part.size());
  for (int shift = 0; shift < 32; shift += 8) {
    out.push_back(static_cast<char>(size >> shift & 0xff));
  }
  out.append(part.data(), part.size());
}

std::string List(const std::set<SiteId>& sites) {
  std::string list;
  for (const SiteId& site : sites) Append(list, site.name());
  return list;
}

}  // namespace

std::string Concatenate(std::initializer_list<absl::string_view> parts) {
  std::string all;
  for (absl::string_view part : parts) Append(all, part);
  return all;
}

int SecAggContext::Threshold() const {
  return SumThreshold(static_cast<int>(cohort.size()));
}

int SecAggContext::LeastSurvivors() const {
  return std::max(Threshold(), minimum_sites);
}

SecAggContext ContextOf(const v1::Study& study, std::string study_hash,
                        uint32_t round, std::string question) {
  SecAggContext context{
      .study_hash = std::move(study_hash),
      .round = round,
      .question = std::move(question),
      .minimum_sites = static_cast<int>(study.aggregation().minimum_sites())};
  for (const std::string& site : study.sites()) context.cohort.emplace(site);
  return context;
}

std::string SecAggContext::Statement(
    absl::string_view label,
    std::initializer_list<absl::string_view> parts) const {
  std::string statement;
  Append(statement, absl::StrCat("hilum secure aggregation v2: ", label));
  Append(statement, study_hash);
  Append(statement, absl::StrCat(round));
  Append(statement, question);
  for (absl::string_view part : parts) Append(statement, part);
  return statement;
}

std::string KeysStatement(const SecAggContext& context, const SiteId& site,
                          const v1::RoundKeys& keys) {
  return context.Statement("keys", {site.name(), keys.mask_key(),
                                    keys.share_key(), keys.checksum()});
}

std::string SelfMaskCommitment(const SecAggContext& context, const SiteId& site,
                               absl::string_view seed) {
  return Sha256Of(context.Statement("own mask", {site.name(), seed}));
}

std::string RosterHash(const v1::Roster& roster) {
  std::string all;
  for (const v1::Roster::Entry& entry : roster.entries()) {
    Append(all, entry.site());
    Append(all, entry.keys().mask_key());
    Append(all, entry.keys().share_key());
    Append(all, entry.keys().checksum());
  }
  return Sha256Of(all);
}

std::string VectorStatement(const SecAggContext& context, const SiteId& site,
                            absl::string_view roster_hash,
                            const std::set<SiteId>& sharers,
                            absl::string_view self_mask_commitment,
                            absl::string_view vector_sha256) {
  return context.Statement("vector", {site.name(), roster_hash, List(sharers),
                                      self_mask_commitment, vector_sha256});
}

std::string SurvivorsStatement(
    const SecAggContext& context, absl::string_view roster_hash,
    const std::set<SiteId>& sharers,
    const std::map<SiteId, SurvivorClaim>& survivors) {
  std::string claims;
  for (const auto& [site, claim] : survivors) {
    Append(claims, site.name());
    Append(claims, claim.vector_sha256);
    Append(claims, claim.self_mask_commitment);
  }
  return context.Statement("survivors", {roster_hash, List(sharers), claims});
}

}  // namespace hilum
