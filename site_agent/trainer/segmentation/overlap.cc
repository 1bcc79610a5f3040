// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/segmentation/overlap.h"

#include <algorithm>

namespace hilum {

Overlap OverlapOf(const BinaryMask& a, const BinaryMask& b) {
  double both = 0, sum = 0;
  for (size_t i = 0; i < a.pixels.size(); ++i) {
    both += a.pixels[i] & b.pixels[i];
    sum += a.pixels[i] + b.pixels[i];
  }
  if (sum == 0) return {1, 1};
  return {2 * both / sum, both / (sum - both)};
}

void OverlapSums::Add(int label, const std::string& patient,
                      const Overlap& overlap, bool implausible) {
  for (Group* group : {&groups_[static_cast<size_t>(label)], &groups_.back()}) {
    Patient& of_patient = group->patients[patient];
    of_patient.dice += overlap.dice;
    of_patient.iou += overlap.iou;
    ++of_patient.cases;
    group->implausible += implausible;
  }
}

std::vector<v1::Overlap> OverlapSums::Sums() const {
  std::vector<v1::Overlap> sums;
  for (const Group& group : groups_) {
    v1::Overlap& sum = sums.emplace_back();
    sum.set_patients(group.patients.size());
    sum.set_implausible(group.implausible);
    for (const auto& [name, patient] : group.patients) {
      const double count = static_cast<double>(patient.cases);
      const double dice = patient.dice / count, iou = patient.iou / count;
      sum.set_cases(sum.cases() + patient.cases);
      sum.set_dice_sum(sum.dice_sum() + dice);
      sum.set_dice_square_sum(sum.dice_square_sum() + dice * dice);
      sum.set_iou_sum(sum.iou_sum() + iou);
      sum.set_iou_square_sum(sum.iou_square_sum() + iou * iou);
    }
  }
  return sums;
}

MeanInterval PatientBootstrap(absl::Span<const double> values,
                              absl::Span<const std::string> patients,
                              Rng& rng) {
  struct Sum {
    double sum = 0, count = 0;
  };
  std::map<std::string, Sum> by_patient;
  Sum all;
  for (size_t i = 0; i < values.size(); ++i) {
    Sum& patient = by_patient[patients[i]];
    for (Sum* s : {&patient, &all}) {
      s->sum += values[i];
      s->count += 1;
    }
  }
  if (all.count == 0) return {};
  std::vector<Sum> sums;
  for (const auto& [patient, sum] : by_patient) sums.push_back(sum);
  std::vector<double> means;
  for (int b = 0; b < kBootstraps; ++b) {
    Sum drawn;
    for (size_t i = 0; i < sums.size(); ++i) {
      const Sum& s = sums[rng.Below(sums.size())];
      drawn.sum += s.sum;
      drawn.count += s.count;
    }
    means.push_back(drawn.sum / drawn.count);
  }
  std::sort(means.begin(), means.end());
  return {all.sum / all.count, means[kBootstraps / 40],
          means[kBootstraps - 1 - kBootstraps / 40]};
}

}  // namespace hilum
