// SPDX-License-Identifier: Apache-2.0
#include "common/secagg/context.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

void Append(std::string& out, absl::string_view part) {
  const uint32_t size = static_cast<uint32_t>(part.size());
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  out.append(part.data(), part.size());
}

std::string List(const std::set<SiteId>& sites) {
  std::string list;
  for (const SiteId& site : sites) Append(list, site.name());
  return list;
}

}  // namespace

int SecAggContext::Threshold() const {
  const int sites = static_cast<int>(cohort.size());
  return std::max(2 * sites / 3 + 1, kMinimumSurvivors);
}

std::string SecAggContext::Statement(
    absl::string_view label,
    std::initializer_list<absl::string_view> parts) const {
  std::string statement;
  Append(statement, absl::StrCat("hilum secure aggregation v1: ", label));
  Append(statement, study_hash);
  Append(statement, absl::StrCat(round));
  for (absl::string_view part : parts) Append(statement, part);
  return statement;
}

std::string KeysStatement(const SecAggContext& context, const SiteId& site,
                          const v1::RoundKeys& keys) {
  return context.Statement("keys",
                           {site.name(), keys.mask_key(), keys.share_key()});
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
  }
  return Sha256Of(all);
}

std::string SurvivorsStatement(const SecAggContext& context,
                               absl::string_view roster_hash,
                               const std::set<SiteId>& sharers,
                               const std::set<SiteId>& survivors) {
  return context.Statement("survivors",
                           {roster_hash, List(sharers), List(survivors)});
}

}  // namespace hilum
