// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/exports.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/csv.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

constexpr int kSizeEdges[] = {512, 1024, 2048, 3072, 4096};
constexpr int kNumSizes = 6;  // the last: over all edges

// Sums over cases.
struct Fingerprint {
  int64_t cases = 0;
  std::array<int64_t, kFingerprintBins> histogram = {};  // millionths
  int64_t with_mask = 0;
  int64_t lung_millionths = 0;
  std::array<int64_t, kNumSizes> sizes = {};

  void Add(const StoredCase& stored) {
    ++cases;
    for (int bin = 0; bin < kFingerprintBins; ++bin) {
      uint32_t count = 0;
      for (int i = 3; i >= 0; --i) {
        count =
            count << 8 | static_cast<uint8_t>(stored.histogram[4 * bin + i]);
      }
      histogram[bin] += count;
    }
    with_mask += stored.has_mask;
    lung_millionths += stored.lung_millionths;
    const int longer = std::max(stored.rows, stored.columns);
    int size = 0;
    while (size < kNumSizes - 1 && longer > kSizeEdges[size]) ++size;
    ++sizes[size];
  }
};

// Returns the gray below which `share` of the pixels are, taking each bin's
// pixels as evenly spread.
double Quantile(const Fingerprint& print, double share) {
  int64_t total = 0;
  for (int64_t count : print.histogram) total += count;
  const double wanted = share * static_cast<double>(total);
  double before = 0;
  for (int bin = 0; bin < kFingerprintBins; ++bin) {
    const auto count = static_cast<double>(print.histogram[bin]);
    if (count > 0 && before + count >= wanted) {
      return (bin + (wanted - before) / count) / kFingerprintBins;
    }
    before += count;
  }
  return 1;
}

std::string FingerprintJson(const Fingerprint& print) {
  nlohmann::ordered_json json;
  json["cases"] = print.cases;
  json["gray_histogram_millionths"] = print.histogram;
  nlohmann::ordered_json quantiles;
  for (int percent : {1, 5, 25, 50, 75, 95, 99}) {
    if (print.cases == 0) break;
    quantiles[absl::StrCat(percent)] = Quantile(print, percent / 100.0);
  }
  json["gray_quantiles"] = quantiles;
  json["cases_with_mask"] = print.with_mask;
  json["lung_area_millionths"] = print.lung_millionths;
  if (print.with_mask > 0) {
    json["mean_lung_area"] = static_cast<double>(print.lung_millionths) / 1e6 /
                             static_cast<double>(print.with_mask);
  }
  json["longer_side_edges"] = kSizeEdges;
  json["longer_side_cases"] = print.sizes;
  return json.dump(2) + "\n";
}

void AddManifestRow(const StoredCase& stored, std::string& csv) {
  const std::string entry = absl::StrCat(".#", stored.id);
  absl::StrAppend(&csv, entry, ",", CsvField(stored.label), ",", stored.patient,
                  ",", stored.has_mask ? entry : "", ",", stored.view, "\n");
}

void AddQuarantineRow(absl::string_view id, absl::string_view what,
                      absl::string_view reason, absl::string_view file,
                      std::string& csv) {
  absl::StrAppend(&csv, id, ",", what, ",", CsvField(reason), ",",
                  CsvField(file), "\n");
}

absl::Status Write(const std::string& store, absl::string_view name,
                   absl::string_view content) {
  return WriteFileAtomically(absl::StrCat(store, "/", name), content,
                             Durability::kSync, 0600);
}

}  // namespace

absl::StatusOr<StoreCounts> CountStore(CaseDatabase& database) {
  StoreCounts counts;
  HILUM_RETURN_IF_ERROR(database.ForEachCase([&](const StoredCase& stored) {
    counts.ready += stored.state == CaseState::kReady;
    counts.unlabelled += stored.state == CaseState::kUnlabelled;
    counts.quarantined += stored.state == CaseState::kQuarantined;
  }));
  HILUM_RETURN_IF_ERROR(
      database.ForEachRefused([&](const Source&) { ++counts.refused; }));
  return counts;
}

absl::StatusOr<std::string> QuarantineCsv(CaseDatabase& database) {
  std::string csv = "id,what,reason,file\n";
  std::vector<StoredCase> cases;
  HILUM_RETURN_IF_ERROR(database.ForEachCase([&](const StoredCase& stored) {
    if (stored.state == CaseState::kQuarantined) cases.push_back(stored);
  }));
  for (const StoredCase& stored : cases) {
    HILUM_ASSIGN_OR_RETURN(const std::vector<Source> sources,
                           database.SourcesOf(stored.id));
    AddQuarantineRow(stored.id, "case", stored.reason,
                     sources.empty() ? "" : sources.front().name, csv);
  }
  HILUM_RETURN_IF_ERROR(database.ForEachRefused([&](const Source& source) {
    AddQuarantineRow(source.id, "refused", source.reason, source.name, csv);
  }));
  return csv;
}

absl::Status ExportStore(CaseDatabase& database, const std::string& store) {
  std::string manifest = "file,label,patient_id,mask,view\n";
  Fingerprint print;
  HILUM_RETURN_IF_ERROR(database.ForEachCase([&](const StoredCase& stored) {
    if (stored.state == CaseState::kReady) AddManifestRow(stored, manifest);
    if (stored.state != CaseState::kQuarantined) print.Add(stored);
  }));
  HILUM_RETURN_IF_ERROR(Write(store, "cases.csv", manifest));
  HILUM_ASSIGN_OR_RETURN(const std::string quarantine, QuarantineCsv(database));
  HILUM_RETURN_IF_ERROR(Write(store, "quarantine.csv", quarantine));
  return Write(store, "fingerprint.json", FingerprintJson(print));
}

}  // namespace hilum
