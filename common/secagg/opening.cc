// SPDX-License-Identifier: Apache-2.0
#include "common/secagg/opening.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/crypto/x25519.h"
#include "common/secagg/derive.h"

namespace hilum {
namespace {

constexpr size_t kSecretSize = 32;

absl::Status Untrusted(absl::string_view why) {
  return absl::PermissionDeniedError(absl::StrCat(
      "secure aggregation: the coordinator's opening of a sum ", why));
}

absl::StatusOr<SecretBytes> SecretOf(const std::string& bytes) {
  if (bytes.size() != kSecretSize) {
    return absl::InvalidArgumentError(
        absl::StrCat("secure aggregation: a secret of ", bytes.size(),
                     " bytes, not ", kSecretSize));
  }
  return SecretBytes::FromBytes(absl::MakeSpan(
      reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()));
}

// The sites' keys, by site.
using Keys = std::map<SiteId, const v1::RoundKeys*>;

Keys KeysOf(const v1::Roster& roster) {
  Keys keys;
  for (const v1::Roster::Entry& entry : roster.entries()) {
    keys.emplace(SiteId(entry.site()), &entry.keys());
  }
  return keys;
}

absl::StatusOr<Keys> CheckedKeys(const SecAggContext& context,
                                 const PeerVerifier& verifier,
                                 const v1::Roster& roster) {
  HILUM_RETURN_IF_ERROR(SitesOf(roster.entries()).status());
  for (const v1::Roster::Entry& entry : roster.entries()) {
    const SiteId site(entry.site());
    if (!context.cohort.contains(site)) {
      return Untrusted(
          absl::StrCat("names ", site.name(), ", which is not of the study"));
    }
    absl::Status signature = verifier.Verify(
        site, entry.keys().certificate(),
        KeysStatement(context, site, entry.keys()), entry.keys().signature());
    if (!signature.ok()) {
      return Untrusted(
          absl::StrCat("has keys that ", site.name(),
                       " did not sign for it: ", signature.message()));
    }
  }
  return KeysOf(roster);
}

std::set<SiteId> SharersOf(const v1::SumOpening& opening) {
  std::set<SiteId> sharers;
  for (const std::string& name : opening.sharers()) sharers.emplace(name);
  return sharers;
}

absl::Status CheckSurvivors(const SecAggContext& context,
                            const PeerVerifier& verifier, const Keys& keys,
                            const std::string& roster_hash,
                            const v1::SumOpening& opening) {
  if (opening.survivors_size() < context.LeastSurvivors()) {
    return Untrusted(absl::StrCat("is of ", opening.survivors_size(),
                                  " sites, of at least ",
                                  context.LeastSurvivors()));
  }
  for (const v1::SumOpening::Survivor& survivor : opening.survivors()) {
    const SiteId site(survivor.site());
    const auto found = keys.find(site);
    if (found == keys.end()) {
      return Untrusted(absl::StrCat("has a vector of ", site.name(),
                                    ", which is not in its roster"));
    }
    absl::Status signature = verifier.Verify(
        site, found->second->certificate(),
        VectorStatement(context, site, roster_hash, SharersOf(opening),
                        survivor.self_mask_commitment(),
                        survivor.vector().sha256()),
        survivor.signature());
    if (!signature.ok()) {
      return Untrusted(absl::StrCat("has a vector that ", site.name(),
                                    " did not sign: ", signature.message()));
    }
    if (SelfMaskCommitment(context, site, survivor.self_mask()) !=
        survivor.self_mask_commitment()) {
      return Untrusted(absl::StrCat("has an own mask of ", site.name(),
                                    " that it did not commit to"));
    }
  }
  return absl::OkStatus();
}

bool IsKey(const std::string& private_key, const std::string& public_key) {
  absl::StatusOr<SecretBytes> secret = SecretOf(private_key);
  if (!secret.ok()) return false;
  absl::StatusOr<X25519KeyPair> key = X25519KeyPair::FromPrivate(*secret);
  return key.ok() && key->public_key() == public_key;
}

// Checks that each site that shared is listed once, as a survivor or as lost:
// if masks of one site were taken off twice, they would remain on the sum. The
// roster must have the key of a lost site.
absl::Status CheckLost(const Keys& keys,
                       const std::map<SiteId, SurvivorClaim>& survivors,
                       const v1::SumOpening& opening) {
  HILUM_ASSIGN_OR_RETURN(std::set<SiteId> accounted, SitesOf(opening.lost()));
  for (const v1::SumOpening::Lost& lost : opening.lost()) {
    const auto found = keys.find(SiteId(lost.site()));
    if (found == keys.end() ||
        !IsKey(lost.mask_key(), found->second->mask_key())) {
      return Untrusted(
          absl::StrCat("has a mask key of ", lost.site(), " that is not its"));
    }
  }
  for (const auto& [site, claim] : survivors) {
    if (accounted.insert(site).second) continue;
    return Untrusted(
        absl::StrCat("has ", site.name(), " as lost and as a survivor"));
  }
  if (std::equal(accounted.begin(), accounted.end(), opening.sharers().begin(),
                 opening.sharers().end(),
                 [](const SiteId& site, const std::string& name) {
                   return site.name() == name;
                 })) {
    return absl::OkStatus();
  }
  return Untrusted("does not tell what became of each site that shared");
}

// Checks that survivors signed the confirmations, as the sites that reveal
// shares do.
absl::Status CheckConfirmations(
    const SecAggContext& context, const PeerVerifier& verifier,
    const Keys& keys, const std::map<SiteId, SurvivorClaim>& survivors,
    const std::string& statement, const v1::Confirmations& confirmations) {
  HILUM_ASSIGN_OR_RETURN(std::set<SiteId> sites,
                         SitesOf(confirmations.entries()));
  if (static_cast<int>(sites.size()) < context.Threshold()) {
    return Untrusted(absl::StrCat("has ", sites.size(),
                                  " confirmations, of at least ",
                                  context.Threshold()));
  }
  for (const v1::Confirmations::Entry& entry : confirmations.entries()) {
    const auto found = keys.find(SiteId(entry.site()));
    if (found == keys.end() || !survivors.contains(found->first) ||
        !verifier
             .Verify(found->first, found->second->certificate(), statement,
                     entry.signature())
             .ok()) {
      return Untrusted(absl::StrCat("is of a list that ", entry.site(),
                                    " has not confirmed"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::map<SiteId, SurvivorClaim>> ClaimsOf(
    const v1::SumOpening& opening) {
  HILUM_RETURN_IF_ERROR(SitesOf(opening.survivors()).status());
  std::map<SiteId, SurvivorClaim> claims;
  for (const v1::SumOpening::Survivor& survivor : opening.survivors()) {
    claims[SiteId(survivor.site())] = {
        .vector_sha256 = survivor.vector().sha256(),
        .self_mask_commitment = survivor.self_mask_commitment()};
  }
  return claims;
}

absl::StatusOr<std::string> StatementOf(const SecAggContext& context,
                                        const v1::SumOpening& opening) {
  HILUM_ASSIGN_OR_RETURN(auto claims, ClaimsOf(opening));
  return SurvivorsStatement(context, RosterHash(opening.roster()),
                            SharersOf(opening), claims);
}

absl::Status CheckOpening(const SecAggContext& context,
                          const PeerVerifier& verifier,
                          const v1::SumOpening& opening) {
  HILUM_ASSIGN_OR_RETURN(auto claims, ClaimsOf(opening));
  HILUM_ASSIGN_OR_RETURN(Keys keys,
                         CheckedKeys(context, verifier, opening.roster()));
  const std::string roster_hash = RosterHash(opening.roster());
  HILUM_RETURN_IF_ERROR(
      CheckSurvivors(context, verifier, keys, roster_hash, opening));
  HILUM_RETURN_IF_ERROR(CheckLost(keys, claims, opening));
  HILUM_ASSIGN_OR_RETURN(std::string statement, StatementOf(context, opening));
  return CheckConfirmations(context, verifier, keys, claims, statement,
                            opening.confirmations());
}

absl::StatusOr<std::vector<MaskStream>> LeftoverMasks(
    const SecAggContext& context, const v1::SumOpening& opening) {
  const std::string roster_hash = RosterHash(opening.roster());
  const Keys keys = KeysOf(opening.roster());
  std::vector<MaskStream> masks;
  for (const v1::SumOpening::Survivor& survivor : opening.survivors()) {
    HILUM_ASSIGN_OR_RETURN(SecretBytes secret, SecretOf(survivor.self_mask()));
    masks.emplace_back(SelfMaskSeed(context, secret), MaskSign::kSubtract);
  }
  for (const v1::SumOpening::Lost& lost : opening.lost()) {
    const SiteId site(lost.site());
    HILUM_ASSIGN_OR_RETURN(SecretBytes secret, SecretOf(lost.mask_key()));
    HILUM_ASSIGN_OR_RETURN(X25519KeyPair key,
                           X25519KeyPair::FromPrivate(secret));
    for (const v1::SumOpening::Survivor& survivor : opening.survivors()) {
      const SiteId other(survivor.site());
      const auto found = keys.find(other);
      if (found == keys.end()) {
        return absl::InvalidArgumentError(absl::StrCat(
            "secure aggregation: ", other.name(), " is not in the roster"));
      }
      HILUM_ASSIGN_OR_RETURN(
          SecretBytes seed,
          PairwiseMaskSeed(context, roster_hash, key, found->second->mask_key(),
                           site, other));
      masks.emplace_back(seed, Inverse(PairwiseSign(other, site)));
    }
  }
  return masks;
}

}  // namespace hilum
