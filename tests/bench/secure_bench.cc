// SPDX-License-Identifier: Apache-2.0
// hilum-bench-secure [SITES]: measures the most expensive parts of secure
// aggregation. First the end of a sum of ten sites over 11.7 M words, of which
// one has left after ShareKeys: from the shares that the others reveal to the
// sum without masks. Then a whole study of one round with SITES sites (100) in
// one process, with the real gateways and coordinator and with trainers that
// learn nothing: the CPU time of all sites together.
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/file.h"
#include "common/config/study.h"
#include "common/model/architecture.h"
#include "common/secagg/opening.h"
#include "sim/engine.h"
#include "tests/bench/sum_with_a_loss.h"
#include "tests/support/fake_trainer.h"

namespace hilum {
namespace {

constexpr size_t kNumElements = 11'700'000;

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) *
             1e-6;
}

// Returns the seconds from the revealed shares to the sum without masks.
double UnmaskSeconds() {
  SumWithALoss sum(10);
  std::vector<uint32_t> words(kNumElements);
  const double start = Seconds();
  auto opening = sum.server().Open();
  HILUM_CHECK(opening.ok());
  auto masks = LeftoverMasks(sum.context(), *opening);
  HILUM_CHECK(masks.ok());
  ApplyMaskStreams(absl::MakeSpan(*masks), 0, absl::MakeSpan(words));
  return Seconds() - start;
}

// Returns a plan of one round that trains all of one model of hilum_small.
RunPlan MakePlan(const std::string& out, int sites) {
  RunPlan plan{.out = out};
  v1::Study& study = plan.study;
  study.set_name("bench");
  for (const char* label : {"a", "b"}) study.add_classes(label);
  study.add_arms(v1::ARM_WHOLE);
  study.mutable_cross_validation()->set_folds(2);
  study.mutable_model()->set_trainable(v1::Model::TRAINABLE_LAST_BLOCKS);
  study.mutable_model()->set_last_blocks(1);
  study.mutable_cross_validation()->set_skip_final_track(true);
  study.mutable_training()->set_rounds(1);
  study.mutable_evaluation()->set_score_bins(16);
  for (int i = 0; i < sites; ++i) {
    SimulatedSite site{.id = SiteId(SiteName(i))};
    site.directory = absl::StrCat(out, "/sites/", site.id.name());
    HILUM_CHECK(MakeDirectories(site.directory).ok());
    site.config.set_state_dir(site.directory);
    site.config.set_manifest(absl::StrCat(site.directory, "/manifest.csv"));
    site.config.set_patient_key_file(absl::StrCat(site.directory, "/key"));
    HILUM_CHECK(WriteFileAtomically(site.config.patient_key_file(),
                                    std::string(64, 'a'), Durability::kSync,
                                    0600)
                    .ok());
    study.add_sites(site.id.name());
    plan.sites.push_back(std::move(site));
  }
  FillStudyDefaults(study);
  return plan;
}

void RunMany(int sites) {
  char folder[] = "/tmp/hilum-bench-XXXXXX";
  HILUM_CHECK(mkdtemp(folder) != nullptr);
  const RunPlan plan = MakePlan(folder, sites);
  auto layout = StudyLayout(plan.study);
  HILUM_CHECK(layout.ok());
  const double cpu = CpuSeconds(), start = Seconds();
  const absl::Status run = RunInProcess(
      plan, [](const SiteId&) { return std::make_unique<FakeTrainer>(); },
      [](int) {});
  std::printf(
      "%d sites, %.2f M parameters, one round with census and evaluation, in "
      "one process: CPU %.1f s, %.1f s in all%s\n",
      sites,
      static_cast<double>(layout->travelling_size) *
          static_cast<double>(StudyTracks(plan.study).size()) * 1e-6,
      CpuSeconds() - cpu, Seconds() - start, run.ok() ? "" : " FAILED: ");
  if (!run.ok()) std::printf("%s\n", run.ToString().c_str());
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace hilum

int main(int argc, char** argv) {
  const int sites = argc > 1 ? std::atoi(argv[1]) : 100;
  std::vector<double> seconds;
  for (int i = 0; i < 5; ++i) {
    seconds.push_back(hilum::UnmaskSeconds());
  }
  std::sort(seconds.begin(), seconds.end());
  std::printf("one of 10 sites lost, 11.7 M words: unmasked in %.3f s\n",
              seconds[2]);
  hilum::RunMany(sites);
  return 0;
}
