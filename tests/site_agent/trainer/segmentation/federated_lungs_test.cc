// SPDX-License-Identifier: Apache-2.0
// A small federated study of segmentation, in one process.
#include <gtest/gtest.h>

#include <memory>

#include "tests/site_agent/trainer/segmentation/lung_site.h"

namespace hilum {
namespace {

// Runs rounds of two sites, averaged in the test in double.
class FederatedLungsTest : public LungSiteTest {
 protected:
  FederatedLungsTest() {
    WriteSite("a", 0, 12);
    WriteSite("b", 100, 18);
    study_.mutable_training()->set_local_epochs(2);
    study_.mutable_training()->set_rounds(8);
    study_.mutable_cross_validation()->set_skip_final_track(true);
  }

  void PrepareBoth() {
    TakeStudy();
    for (const char* site : {"a", "b"}) {
      Prepare(*sites_.emplace_back(std::make_unique<TorchTrainer>()), site);
    }
  }

  // Returns the mean loss of a case, over sites and tracks.
  double RunRound(uint32_t round) {
    const std::vector<float> global = ReadBlob("global");
    std::vector<double> sums(global.size());
    std::vector<double> examples(tracks_.size());
    double loss = 0, cases = 0;
    for (const auto& site : sites_) {
      const v1::TrainResponse trained = Train(*site, round);
      const std::vector<float> delta = ReadBlob("delta");
      for (size_t t = 0; t < tracks_.size(); ++t) {
        const double n = static_cast<double>(
            trained.tracks(static_cast<int>(t)).num_examples());
        examples[t] += n;
        cases += n;
        loss += trained.tracks(static_cast<int>(t)).loss_sum();
        const size_t size = global.size() / tracks_.size();
        for (size_t i = t * size; i < (t + 1) * size; ++i) {
          sums[i] += n * delta[i];
        }
      }
    }
    std::vector<float> next(global.size());
    for (size_t i = 0; i < global.size(); ++i) {
      const size_t track = i / (global.size() / tracks_.size());
      next[i] = static_cast<float>(global[i] + sums[i] / examples[track]);
    }
    WriteGlobal(next);
    return loss / cases;
  }

  // Returns the mean Dice coefficient of a held-out patient.
  double Dice() {
    double sum = 0, patients = 0;
    for (const auto& site : sites_) {
      const v1::EvaluateResponse evaluated = Evaluate(*site);
      for (const v1::TrackEvaluation& track : evaluated.tracks()) {
        sum += track.overlaps(2).dice_sum();
        patients += static_cast<double>(track.overlaps(2).patients());
      }
    }
    return sum / patients;
  }

  std::vector<std::unique_ptr<TorchTrainer>> sites_;
};

TEST_F(FederatedLungsTest, LearnsToFindLungsOfPatientsHeldOut) {
  PrepareBoth();
  const double first = RunRound(1);
  EXPECT_LT(Dice(), 0.75);
  for (uint32_t r = 2; r < 8; ++r) RunRound(r);
  EXPECT_LT(RunRound(8), 0.6 * first);
  EXPECT_GT(Dice(), 0.85);
  // All sites' variances are averaged, and stay at least 0.
  const std::vector<float> model = PartOf(ReadBlob("global"), 0);
  size_t at = 0;
  for (const TensorSpec& spec : layout_.architecture.tensors) {
    for (int64_t i = 0; i < spec.size(); ++i, ++at) {
      if (spec.role != TensorRole::kRunningVariance) continue;
      ASSERT_GE(model[at], 0) << spec.name;
    }
  }
}

}  // namespace
}  // namespace hilum
