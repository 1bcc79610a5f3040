// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/revealed_lists.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

// The sum of this many sites hides each of them.
constexpr size_t kFewestSites = 3;

std::string NamesOf(const std::set<std::string>& sites) {
  return absl::StrJoin(sites, ",");
}

std::set<std::string> Names(const std::set<SiteId>& sites) {
  std::set<std::string> names;
  for (const SiteId& site : sites) names.insert(site.name());
  return names;
}

std::set<std::string> Difference(const std::set<std::string>& a,
                                 const std::set<std::string>& b) {
  std::set<std::string> difference;
  std::set_symmetric_difference(a.begin(), a.end(), b.begin(), b.end(),
                                std::inserter(difference, difference.end()));
  return difference;
}

}  // namespace

absl::Status RevealedLists::Check(const std::vector<std::string>& subjects,
                                  const std::string& study_hash,
                                  const std::set<SiteId>& survivors,
                                  bool may_differ) const {
  const absl::StatusOr<std::string> text = ReadFile(path_);
  if (absl::IsNotFound(text.status())) return absl::OkStatus();
  if (!text.ok()) return absl::DataLossError(text.status().message());
  std::set<std::string> wanted;
  for (const std::string& subject : subjects) wanted.insert(ToHex(subject));
  for (absl::string_view line :
       absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
    const std::vector<std::string> fields = absl::StrSplit(line, ' ');
    if (fields.size() != 3) {
      return absl::DataLossError(absl::StrCat(
          path_, ": changed since it was written; without it this site cannot ",
          "tell in which sums it has revealed shares"));
    }
    if (!wanted.contains(fields[0])) continue;
    const std::set<std::string> before = absl::StrSplit(fields[2], ',');
    const std::set<std::string> difference =
        Difference(before, Names(survivors));
    if (difference.empty()) continue;
    // A study's models could come back to one that was summed before.
    if (fields[1] == ToHex(study_hash)) {
      return absl::FailedPreconditionError(absl::StrCat(
          "secure aggregation: this site has revealed shares of a sum about ",
          "this very model in an earlier round, over other sites; two sums ",
          "about one model that differ in ", NamesOf(difference),
          " tell what these sites gave"));
    }
    if (may_differ || difference.size() >= kFewestSites) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        "secure aggregation: this site has revealed shares of a sum about "
        "this ",
        "very model in study ", fields[1].substr(0, 12), ", and the sum that ",
        "is asked for differs from it only in ", NamesOf(difference),
        ": the two would tell what these sites gave. The officer can accept ",
        "site_updates_inferable for this study"));
  }
  return absl::OkStatus();
}

absl::Status RevealedLists::Note(const std::vector<std::string>& subjects,
                                 const std::string& study_hash,
                                 const std::set<SiteId>& survivors) const {
  absl::StatusOr<std::string> before = ReadFile(path_);
  if (!before.ok() && !absl::IsNotFound(before.status())) {
    return before.status();
  }
  std::string lines = before.ok() ? *std::move(before) : std::string();
  for (const std::string& subject : subjects) {
    absl::StrAppend(&lines, ToHex(subject), " ", ToHex(study_hash), " ",
                    NamesOf(Names(survivors)), "\n");
  }
  return WriteFileAtomically(path_, lines, Durability::kSync, 0600);
}

}  // namespace hilum
