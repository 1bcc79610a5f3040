// SPDX-License-Identifier: Apache-2.0
#include "sim/partition.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/base/file.h"
#include "common/base/ids.h"
#include "common/base/rng.h"
#include "common/base/status_macros.h"
#include "common/cli/usage.h"

namespace hilum {
namespace {

using Deal = std::map<std::string, std::vector<int>>;
using Patients = std::vector<std::vector<int>>;  // rows of each

// Returns the patients by label of their first row, in order of their ids.
std::map<std::string, Patients> PatientsByLabel(const CaseTable& table) {
  const int patient = table.Column("patient_id");
  const int label = table.Column("label");
  std::map<std::pair<std::string, int>, std::vector<int>> rows;
  for (int i = 0; i < static_cast<int>(table.rows.size()); ++i) {
    const std::string& id = table.rows[i][patient];
    rows[{id, id.empty() ? i : -1}].push_back(i);
  }
  std::map<std::string, Patients> by_label;
  for (auto& [id, own] : rows) {
    by_label[table.rows[own[0]][label]].push_back(std::move(own));
  }
  return by_label;
}

absl::StatusOr<Deal> DealBySite(const CaseTable& table) {
  const int site = table.Column("site");
  if (site < 0) {
    return absl::InvalidArgumentError(
        "--partition by_site: the manifest has no column `site`; add one or "
        "choose iid or dirichlet:A");
  }
  Deal deal;
  for (int i = 0; i < static_cast<int>(table.rows.size()); ++i) {
    const std::string& name = table.rows[i][site];
    if (!IsValidName(name)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--partition by_site: manifest row ", i + 2, ": site '", name,
          "' is not a name of a-z, 0-9 and -, at most 63 characters"));
    }
    deal[name].push_back(i);
  }
  return deal;
}

// Draws Gamma(shape, 1) by Marsaglia and Tsang (2000); below 1 by their boost.
double DrawGamma(double shape, Rng& rng) {
  if (shape < 1) {
    return DrawGamma(shape + 1, rng) * std::pow(1 - rng.Uniform(), 1 / shape);
  }
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = rng.Normal();
    const double v = std::pow(1 + c * x, 3);
    if (v <= 0) continue;
    if (std::log(1 - rng.Uniform()) <
        0.5 * x * x + d - d * v + d * std::log(v)) {
      return d * v;
    }
  }
}

// Returns running sums of shares, the last 1.
std::vector<double> DrawShares(const Partition& partition, int sites,
                               Rng& rng) {
  std::vector<double> shares(sites, 1.0);
  if (partition.kind == Partition::Kind::kDirichlet) {
    for (double& share : shares) {
      share = DrawGamma(partition.concentration, rng) + 1e-12;
    }
  }
  const double total = std::accumulate(shares.begin(), shares.end(), 0.0);
  double sum = 0;
  for (double& share : shares) share = sum += share / total;
  shares.back() = 1;
  return shares;
}

Deal DealByShares(const CaseTable& table, const PartitionOptions& options) {
  Deal deal;
  std::vector<std::vector<int>*> sites;
  for (int i = 1; i <= options.sites; ++i) {
    sites.push_back(&deal[absl::StrCat("site-", i)]);
  }
  for (auto& [label, patients] : PatientsByLabel(table)) {
    Rng rng(options.seed, absl::StrCat("partition/", label));
    rng.Shuffle(patients);
    const std::vector<double> shares =
        DrawShares(options.partition, options.sites, rng);
    for (size_t i = 0; i < patients.size(); ++i) {
      const double at = (i + 0.5) / patients.size();
      const size_t site =
          std::lower_bound(shares.begin(), shares.end(), at) - shares.begin();
      sites[site]->insert(sites[site]->end(), patients[i].begin(),
                          patients[i].end());
    }
  }
  for (std::vector<int>* rows : sites) std::sort(rows->begin(), rows->end());
  return deal;
}

absl::Status CheckDeal(const Deal& deal, int sites) {
  if (sites > 0 && static_cast<int>(deal.size()) != sites) {
    const std::string names = absl::StrJoin(
        deal, ", ", [](std::string* out, const Deal::value_type& entry) {
          absl::StrAppend(out, entry.first);
        });
    return absl::InvalidArgumentError(absl::StrCat(
        "--sites ", sites, ": the manifest's column `site` names ", deal.size(),
        " (", names, "); leave --sites out or choose iid"));
  }
  for (const auto& [name, rows] : deal) {
    if (rows.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          name, " got no case: fewer --sites, another --seed or a larger A"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Partition> ParsePartition(absl::string_view text) {
  if (text == "by_site") return Partition{.kind = Partition::Kind::kBySite};
  if (text == "iid") return Partition{.kind = Partition::Kind::kIid};
  double a = 0;
  absl::string_view number = text;
  if (absl::ConsumePrefix(&number, "dirichlet:") &&
      absl::SimpleAtod(number, &a) && a > 0 && a <= 1000) {
    return Partition{.kind = Partition::Kind::kDirichlet, .concentration = a};
  }
  return UsageError(
      absl::StrCat("--partition '", text,
                   "': by_site, iid or dirichlet:A with 0 < A <= 1000"));
}

absl::StatusOr<Deal> DealCases(const CaseTable& table,
                               const PartitionOptions& options) {
  Deal deal;
  if (options.partition.kind == Partition::Kind::kBySite) {
    HILUM_ASSIGN_OR_RETURN(deal, DealBySite(table));
  } else {
    PartitionOptions filled = options;
    if (filled.sites <= 0) filled.sites = 3;
    deal = DealByShares(table, filled);
  }
  HILUM_RETURN_IF_ERROR(CheckDeal(deal, options.sites));
  return deal;
}

absl::Status WriteSiteManifests(const CaseTable& table, const Deal& deal,
                                const std::string& directory) {
  for (const auto& [site, rows] : deal) {
    const std::string folder = absl::StrCat(directory, "/", site);
    HILUM_RETURN_IF_ERROR(MakeDirectories(folder));
    HILUM_RETURN_IF_ERROR(WriteFileAtomically(
        absl::StrCat(folder, "/manifest.csv"), CaseTableText(table, rows)));
  }
  return absl::OkStatus();
}

}  // namespace hilum
