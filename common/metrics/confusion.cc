// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/confusion.h"

#include "common/metrics/proportion.h"

namespace hilum {
namespace {

std::optional<double> Share(uint64_t part, uint64_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

Confusion::Confusion(int num_classes)
    : num_classes_(num_classes),
      counts_(static_cast<size_t>(num_classes * num_classes)) {}

void Confusion::Add(int truth, int predicted, uint64_t count) {
  counts_[static_cast<size_t>(truth * num_classes_ + predicted)] += count;
}

void Confusion::Add(const Confusion& other) {
  for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
}

uint64_t Confusion::count(int truth, int predicted) const {
  return counts_[static_cast<size_t>(truth * num_classes_ + predicted)];
}

uint64_t Confusion::RowSum(int truth) const {
  uint64_t sum = 0;
  for (int c = 0; c < num_classes_; ++c) sum += count(truth, c);
  return sum;
}

uint64_t Confusion::Total() const {
  uint64_t sum = 0;
  for (uint64_t count : counts_) sum += count;
  return sum;
}

uint64_t Confusion::CorrectCount() const {
  uint64_t correct = 0;
  for (int c = 0; c < num_classes_; ++c) correct += count(c, c);
  return correct;
}

uint64_t Confusion::TrueNegatives(int label) const {
  uint64_t negatives = Total() - RowSum(label);
  for (int truth = 0; truth < num_classes_; ++truth) {
    if (truth != label) negatives -= count(truth, label);
  }
  return negatives;
}

std::optional<double> Confusion::Accuracy() const {
  return Share(CorrectCount(), Total());
}

std::optional<Interval> Confusion::AccuracyInterval95() const {
  return WilsonInterval(CorrectCount(), Total());
}

std::optional<double> Confusion::Sensitivity(int label) const {
  return Share(count(label, label), RowSum(label));
}

std::optional<double> Confusion::Specificity(int label) const {
  return Share(TrueNegatives(label), Total() - RowSum(label));
}

std::optional<Interval> Confusion::SensitivityInterval95(int label) const {
  return WilsonInterval(count(label, label), RowSum(label));
}

std::optional<Interval> Confusion::SpecificityInterval95(int label) const {
  return WilsonInterval(TrueNegatives(label), Total() - RowSum(label));
}

std::optional<double> MeanOfPresent(
    const std::vector<std::optional<double>>& values) {
  double sum = 0;
  int present = 0;
  for (const std::optional<double>& value : values) {
    if (!value) continue;
    sum += *value;
    ++present;
  }
  if (present == 0) return std::nullopt;
  return sum / present;
}

}  // namespace hilum
