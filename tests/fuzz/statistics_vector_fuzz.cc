// SPDX-License-Identifier: Apache-2.0
// Fuzzes sums of a census or of an evaluation, with or without maps or of
// segmentation, with all histograms shown or some withheld, by their length:
// two bytes of cases that the cohort holds out, then the words of the sum. The
// decoded sum of one site encodes as the same words.
#include <cstring>
#include <set>
#include <vector>

#include "common/aggregation/statistics_vector.h"
#include "common/base/check.h"
#include "tests/fuzz/input.h"

namespace hilum {
namespace {

v1::Study SmallStudy(bool localization) {
  v1::Study study;
  study.mutable_evaluation()->set_localization(localization);
  for (const char* label : {"sick", "well"}) study.add_classes(label);
  study.add_arms(v1::ARM_WHOLE);
  study.mutable_cross_validation()->set_folds(2);
  study.mutable_evaluation()->set_score_bins(16);
  return study;
}

void TryCensus(const v1::Study& study, const std::vector<uint32_t>& words) {
  absl::StatusOr<v1::CensusTotals> totals =
      DecodeCensus(study, {SiteId("one")}, words);
  if (!totals.ok()) return;
  v1::SubmitCensusRequest census;
  *census.mutable_arms() = totals->arms();
  census.set_rows(totals->rows());
  census.set_rejected_rows(totals->rejected_rows());
  *census.mutable_rejected_masks() = totals->rejected_masks();
  HILUM_CHECK(EncodeCensus(study, census).value() == words);
}

void TryEvaluation(const v1::Study& study, uint64_t held_out,
                   const std::vector<uint32_t>& words,
                   const ShownHistograms& shown) {
  const std::vector<uint64_t> tracks = {held_out, held_out, 0};
  absl::StatusOr<v1::EvaluationTotals> totals =
      DecodeEvaluation(study, tracks, {SiteId("one")}, words, shown);
  if (!totals.ok()) return;
  std::vector<uint32_t> again =
      EncodeEvaluation(study, tracks, totals->tracks(), shown).value();
  // A loss, or a sum over maps, may exceed its bound by rounding; a loss over
  // no cases is not read.
  const size_t size = words.size() / 2;
  const bool maps = study.evaluation().localization();
  for (size_t end : {size, 2 * size}) {
    std::vector<size_t> sums = {end - 1};
    if (maps) sums = {end - 1, end - 2, end - 4};
    for (size_t sum : sums) {
      HILUM_CHECK(held_out == 0 || words[sum] - again[sum] <= 1);
      again[sum] = words[sum];
    }
  }
  HILUM_CHECK(again == words);
}

void TrySegmentation(uint64_t held_out, const std::vector<uint32_t>& words) {
  v1::Study study = SmallStudy(false);
  study.set_task(v1::STUDY_TASK_SEGMENTATION);
  const std::vector<uint64_t> tracks = {held_out, held_out, 0};
  absl::StatusOr<v1::EvaluationTotals> totals =
      DecodeEvaluation(study, tracks, {SiteId("one")}, words);
  if (!totals.ok()) return;
  std::vector<uint32_t> again =
      EncodeEvaluation(study, tracks, totals->tracks()).value();
  // Each of an overlap's four sums may exceed the sum before it by rounding.
  constexpr size_t kOverlap = 7, kTrack = 3 * kOverlap + 1;
  for (size_t i = 0; i < words.size(); ++i) {
    const size_t word = i % kTrack;
    if (word != kTrack - 1 && word % kOverlap < 3) continue;
    HILUM_CHECK(held_out == 0 || words[i] - again[i] <= 4);
    again[i] = words[i];
  }
  HILUM_CHECK(again == words);
}

}  // namespace
}  // namespace hilum

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hilum;
  FuzzInput input(data, size);
  const uint64_t held_out = input.Byte() * uint64_t{256} + input.Byte();
  const std::string bytes = input.Rest();
  std::vector<uint32_t> words(bytes.size() / sizeof(uint32_t));
  std::memcpy(words.data(), bytes.data(), words.size() * sizeof(uint32_t));
  TryCensus(SmallStudy(false), words);
  for (bool localization : {false, true}) {
    const v1::Study study = SmallStudy(localization);
    TryEvaluation(study, held_out, words, {});
    TryEvaluation(study, held_out, words,
                  {true, false, false, true, false, false});
  }
  TrySegmentation(held_out, words);
  return 0;
}
