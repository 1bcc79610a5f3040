// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/html_census.h"

#include <algorithm>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/config/census.h"
#include "common/config/study.h"
#include "coordinator/report/html_table.h"
#include "coordinator/report/lung_masks.h"
#include "coordinator/report/svg.h"

namespace hilum {
namespace {

// Published censuses by the site's name.
using Published = std::map<std::string, const v1::SubmitCensusRequest*>;

Published PublishedCensus(const StudyResult& result) {
  Published published;
  for (const auto& [site, census] : result.census) {
    if (!census.arms().empty()) published[site.name()] = &census;
  }
  return published;
}

// Returns the cases [classes] of one site's census or of a cohort's: from the
// whole arm, where there is one, since it has every usable case.
template <typename Census>
std::vector<uint64_t> UsableCases(const v1::Study& study,
                                  const Census& census) {
  v1::Arm arm = study.arms(0);
  for (int other : study.arms()) {
    if (other == v1::ARM_WHOLE) arm = v1::ARM_WHOLE;
  }
  return TrainingCases(study, {arm, Track::kFinal}, census.arms());
}

template <typename Census>
Cells CensusRow(const std::string& name, const v1::Study& study,
                const Census& census) {
  Cells row = {name};
  for (uint64_t count : UsableCases(study, census)) {
    row.push_back(absl::StrCat(count));
  }
  uint64_t without_mask = 0;
  for (const v1::ArmCensus& arm : census.arms()) {
    without_mask = std::max(without_mask, arm.without_mask());
  }
  row.push_back(absl::StrCat(without_mask));
  row.push_back(absl::StrCat(census.rejected_rows(), " of ", census.rows()));
  return row;
}

std::string CensusTable(const StudyResult& result, const Published& published) {
  const v1::Study& study = result.study;
  Cells head = {"site"};
  for (const std::string& label : study.classes()) {
    head.push_back(EscapeHtml(label));
  }
  for (const char* name : {"without mask", "rows rejected"}) {
    head.push_back(name);
  }
  std::vector<Cells> rows;
  for (const auto& [site, census] : published) {
    rows.push_back(CensusRow(EscapeHtml(site), study, *census));
  }
  rows.push_back(CensusRow("<b>cohort</b>", study, result.census_totals));
  return Table(head, rows);
}

// Returns the classes of which one published site has nearly all of the
// cohort's cases.
Cells LoneClasses(const StudyResult& result, const Published& published) {
  Cells lone;
  if (result.census_totals.sites_size() < 2) return lone;
  const v1::Study& study = result.study;
  const std::vector<uint64_t> sums = UsableCases(study, result.census_totals);
  std::vector<uint64_t> most(sums.size());
  for (const auto& [site, census] : published) {
    const std::vector<uint64_t> own = UsableCases(study, *census);
    for (size_t c = 0; c < own.size(); ++c) most[c] = std::max(most[c], own[c]);
  }
  for (size_t c = 0; c < sums.size(); ++c) {
    if (sums[c] == 0 || most[c] * 10 < sums[c] * 9) continue;
    lone.push_back(EscapeHtml(study.classes(static_cast<int>(c))));
  }
  return lone;
}

std::string LoneWarning(const Cells& classes) {
  if (classes.empty()) return "";
  return absl::StrCat(
      "<p class='warn'>At least nine in ten cases of <b>",
      absl::StrJoin(classes, ", "),
      "</b> come from one site. A model can then tell the class by the "
      "site's equipment instead of the disease: figures for such classes "
      "are likely too good.</p>\n");
}

constexpr char kMasks[] = R"html(<h2>Lung masks not used, by class</h2>
<p>Masks that do not look like those of two lungs (docs/segmentation.md has what
is looked at, and its ranges). Opacities make segmenters leave out lung, so that
sick lungs lose their masks more often: where the shares differ much between
classes, the masks that are used tend to be of a class’s milder cases.</p>
)html";

std::string MaskCell(const MaskCount& count) {
  std::string text = absl::StrCat(count.rejected);
  if (count.with_mask) absl::StrAppend(&text, " of ", *count.with_mask);
  if (const std::optional<double> share = count.Share()) {
    absl::StrAppendFormat(&text, " <span class='soft'>%.1f %%</span>",
                          100 * *share);
  }
  return text;
}

template <typename Census>
void AddMaskRow(const std::string& name, const v1::Study& study,
                const Census& census, std::vector<Cells>& rows) {
  const auto masks = CountMasks(study, census.arms(), census.rejected_masks());
  if (!masks) return;
  Cells row = {name};
  for (const MaskCount& count : masks->classes) row.push_back(MaskCell(count));
  row.push_back(MaskCell(masks->all));
  rows.push_back(std::move(row));
}

}  // namespace

std::string MasksHtml(const StudyResult& result) {
  Cells head = {"site"};
  for (const std::string& label : result.study.classes()) {
    head.push_back(EscapeHtml(label));
  }
  head.push_back("all");
  std::vector<Cells> rows;
  for (const auto& [site, census] : PublishedCensus(result)) {
    AddMaskRow(EscapeHtml(site), result.study, *census, rows);
  }
  AddMaskRow("<b>cohort</b>", result.study, result.census_totals, rows);
  return rows.empty() ? "" : absl::StrCat(kMasks, Table(head, rows));
}

std::string CensusHtml(const StudyResult& result) {
  const Published published = PublishedCensus(result);
  std::string not_known = NotKnownHtml(
      result.census_totals.sites(),
      [&](const std::string& site) { return published.contains(site); });
  if (!not_known.empty()) {
    not_known +=
        "<p class='soft'>So it cannot be seen either whether nearly all cases "
        "of a class come from one of them.</p>\n";
  }
  return absl::StrCat(CensusTable(result, published), not_known,
                      LoneWarning(LoneClasses(result, published)));
}

std::string NotKnownHtml(
    const google::protobuf::RepeatedPtrField<std::string>& summed,
    absl::FunctionRef<bool(const std::string& site)> is_known) {
  Cells unknown;
  for (const std::string& site : summed) {
    if (!is_known(site)) unknown.push_back(EscapeHtml(site));
  }
  if (unknown.empty()) return "";
  const bool all = static_cast<int>(unknown.size()) == summed.size();
  return absl::StrCat(
      "<p class='soft'>The figures of ",
      all ? "single sites" : absl::StrJoin(unknown, ", "),
      " are not known to the coordinator: with secure aggregation it saw sums "
      "over ",
      summed.size(), " sites only.</p>\n");
}

}  // namespace hilum
