// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/fingerprint.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

using Json = nlohmann::json;
using Counts = google::protobuf::RepeatedField<uint64_t>;

uint64_t Sum(const Counts& counts) {
  return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
}

void Add(const Counts& counts, Counts& sums) {
  const int size = std::min(counts.size(), sums.size());
  for (int i = 0; i < size; ++i) sums[i] += counts[i];
}

void Subtract(const Counts& counts, Counts& sums) {
  const int size = std::min(counts.size(), sums.size());
  for (int i = 0; i < size; ++i) sums[i] -= std::min(counts[i], sums[i]);
}

Json Number(std::optional<double> value) {
  return value ? Json(*value) : Json(nullptr);
}

}  // namespace

v1::Fingerprint EmptyFingerprint() {
  v1::Fingerprint fingerprint;
  fingerprint.mutable_grays()->Resize(kFingerprintGrays, 0);
  fingerprint.mutable_sides()->Resize(kFingerprintSides, 0);
  return fingerprint;
}

uint64_t FingerprintCases(const v1::Fingerprint& fingerprint) {
  return Sum(fingerprint.sides());
}

void AddFingerprint(const v1::Fingerprint& fingerprint, v1::Fingerprint& sum) {
  Add(fingerprint.grays(), *sum.mutable_grays());
  Add(fingerprint.sides(), *sum.mutable_sides());
  sum.set_masked(sum.masked() + fingerprint.masked());
  sum.set_lung_share(sum.lung_share() + fingerprint.lung_share());
}

void SubtractFingerprint(const v1::Fingerprint& part, v1::Fingerprint& sum) {
  Subtract(part.grays(), *sum.mutable_grays());
  Subtract(part.sides(), *sum.mutable_sides());
  sum.set_masked(sum.masked() - std::min(part.masked(), sum.masked()));
  sum.set_lung_share(sum.lung_share() -
                     std::min(part.lung_share(), sum.lung_share()));
}

std::optional<double> GrayQuantile(const v1::Fingerprint& fingerprint,
                                   double p) {
  const Counts& grays = fingerprint.grays();
  const uint64_t total = Sum(grays);
  if (total == 0) return std::nullopt;
  double left = p * static_cast<double>(total);
  double gray = 0;
  for (int bin = 0; bin < grays.size(); ++bin) {
    if (grays[bin] == 0) continue;
    const double in_bin = static_cast<double>(grays[bin]);
    gray = (bin + std::min(left / in_bin, 1.0)) / grays.size();
    if (left <= in_bin) break;
    left -= in_bin;
  }
  return gray;
}

std::optional<double> MeanLungShare(const v1::Fingerprint& fingerprint) {
  if (fingerprint.masked() == 0) return std::nullopt;
  return static_cast<double>(fingerprint.lung_share()) /
         static_cast<double>(kFingerprintShare) /
         static_cast<double>(fingerprint.masked());
}

std::string FingerprintJson(const v1::Fingerprint& fingerprint) {
  Json json = {{"n", FingerprintCases(fingerprint)},
               {"masked", fingerprint.masked()},
               {"mean_lung_share", Number(MeanLungShare(fingerprint))},
               {"sides", Json::array()}};
  for (double p : kGrayQuantiles) {
    json["gray_quantiles"][absl::StrCat(p)] =
        Number(GrayQuantile(fingerprint, p));
  }
  for (uint64_t cases : fingerprint.sides()) json["sides"].push_back(cases);
  return json.dump();
}

}  // namespace hilum
