// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/html_fingerprint.h"

#include <cmath>
#include <map>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/config/study.h"
#include "common/metrics/fingerprint.h"
#include "coordinator/report/arm_metrics.h"
#include "coordinator/report/html_table.h"
#include "coordinator/report/svg.h"

namespace hilum {
namespace {

constexpr double kTelling = 0.1;  // share of the gray range or of the image

constexpr char kHowToRead[] = R"html(<h2>How the images look</h2>
<p>Sites should prepare their radiographs alike, or a model learns to tell sites
apart instead of diseases. Gray goes from 0 (black) to 1 (white); below the value
under “5 %” lie 5 % of all pixels of the prepared images, every case with the same
weight, in the segmented arm of the pixels in the lungs. Lungs: mean share of the
image that the lung mask takes. On the right, the longer side of the images in
pixels, before they were resized. A row that differs from the others calls for a
look at that site’s equipment and export (inverted grays, black borders,
screenshots); it is no proof of a fault, since patients and diseases differ too.</p>
)html";

constexpr char kOwnFigures[] = R"html(<p class='soft'>A site that is not in
the table finds its own figures, with the same names, in
<code>fingerprint.json</code> in the study’s folder below <code>results/</code>
of its state folder, and can lay them beside the cohort’s.</p>
)html";

std::string Figure(std::optional<double> value) {
  return value ? absl::StrFormat("%.2f", *value) : "–";
}

Cells Head() {
  Cells head = {"", "cases"};
  for (double p : kGrayQuantiles) {
    head.push_back(p == 0.5 ? "median" : absl::StrFormat("%.0f %%", 100 * p));
  }
  head.push_back("lungs");
  for (uint32_t end : kFingerprintSideEnds) {
    head.push_back(absl::StrCat("≤ ", end));
  }
  head.push_back(
      absl::StrCat("&gt; ", kFingerprintSideEnds[kFingerprintSides - 2]));
  return head;
}

Cells PrintRow(const std::string& name, const v1::Fingerprint& print) {
  const uint64_t cases = FingerprintCases(print);
  Cells row = {name, absl::StrCat(cases)};
  for (double p : kGrayQuantiles) row.push_back(Figure(GrayQuantile(print, p)));
  row.push_back(Figure(MeanLungShare(print)));
  for (uint64_t count : print.sides()) {
    row.push_back(cases == 0 ? "–"
                             : absl::StrFormat(
                                   "%.0f %%", 100 * static_cast<double>(count) /
                                                  static_cast<double>(cases)));
  }
  return row;
}

bool Differ(std::optional<double> a, std::optional<double> b) {
  return a && b && std::abs(*a - *b) > kTelling;
}

// Describes how one site's images in one arm differ; empty: they do not.
std::string Difference(const std::string& site, const v1::Fingerprint& own,
                       v1::Fingerprint rest) {
  SubtractFingerprint(own, rest);
  const auto gray = GrayQuantile(own, 0.5), grays = GrayQuantile(rest, 0.5);
  const auto lung = MeanLungShare(own), lungs = MeanLungShare(rest);
  std::string text;
  if (Differ(gray, grays)) {
    absl::StrAppend(&text, " Their median gray is ", Figure(gray),
                    ", that of the rest of the cohort ", Figure(grays), ".");
  }
  if (Differ(lung, lungs)) {
    absl::StrAppend(&text, " Their lungs take ", Figure(lung),
                    " of the image, those of the rest of the cohort ",
                    Figure(lungs), ".");
  }
  if (text.empty()) return "";
  return absl::StrCat("<p class='warn'>The images of <b>", EscapeHtml(site),
                      "</b> look different.", text, "</p>\n");
}

std::string ArmHtml(const StudyResult& result, int arm) {
  const v1::Fingerprint& cohort = result.census_totals.arms(arm).fingerprint();
  std::vector<Cells> rows;
  std::string warnings;
  for (const auto& [site, census] : result.census) {
    if (census.arms().empty()) continue;  // not published
    const v1::Fingerprint& own = census.arms(arm).fingerprint();
    rows.push_back(PrintRow(EscapeHtml(site.name()), own));
    warnings += Difference(site.name(), own, cohort);
  }
  rows.push_back(PrintRow("<b>cohort</b>", cohort));
  return absl::StrCat("<h3>", ArmTitle(result.study.arms(arm)), "</h3>",
                      Table(Head(), rows), warnings);
}

}  // namespace

std::string FingerprintHtml(const StudyResult& result) {
  uint64_t cases = 0;
  std::string arms;
  for (int a = 0; a < result.census_totals.arms_size(); ++a) {
    cases += FingerprintCases(result.census_totals.arms(a).fingerprint());
    arms += ArmHtml(result, a);
  }
  if (cases == 0) return "";
  return absl::StrCat(kHowToRead, arms,
                      IsSecure(result.study) ? kOwnFigures : "");
}

}  // namespace hilum
