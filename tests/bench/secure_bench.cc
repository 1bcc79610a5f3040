// SPDX-License-Identifier: Apache-2.0
// hilum-bench-secure [SITES]: what secure aggregation takes where it takes
// most. First the end of a sum of ten sites over 11.7 M words, of which one has
// left after ShareKeys: from the shares that the others reveal to the sum
// without masks. Then a whole study of one round with so many sites (100) in
// one process, gateways and coordinator as they are, trainers that learn
// nothing: its CPU time, all sites' together.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/file.h"
#include "common/config/study.h"
#include "common/model/architecture.h"
#include "common/secagg/client.h"
#include "common/secagg/server.h"
#include "sim/engine.h"
#include "sim/simulated_consortium.h"
#include "tests/support/fake_trainer.h"

namespace hilum {
namespace {

constexpr size_t kNumElements = 11'700'000;

double Seconds() {
  return std::chrono::duration<double>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) *
             1e-6;
}

std::string SiteName(int i) { return absl::StrCat("s", 1000 + i); }

// One sum, up to its last step; the last site is gone after ShareKeys.
class SumWithALoss {
 public:
  explicit SumWithALoss(int sites) : consortium_(Consortium()) {
    SecAggContext context{.study_hash = std::string(32, 'h'), .round = 1};
    for (int i = 0; i < sites; ++i) context.cohort.emplace(SiteName(i));
    lost_ = *context.cohort.rbegin();
    for (const SiteId& site : context.cohort) {
      auto member = consortium_->Join(site);
      HILUM_CHECK(member.ok());
      members_.emplace(site, *std::move(member));
      clients_.emplace(site, std::make_unique<SecAggClient>(
                                 context, site, members_.at(site).credentials,
                                 RealSecureRng()));
    }
    server_ = std::make_unique<SecAggServer>(
        context, *members_.begin()->second.credentials.verifier);
  }

  // Seconds to take the masks off.
  double Unmask() {
    Each([&](const SiteId& site, SecAggClient& client) {
      return server_->OnKeys(site, *client.AdvertiseKeys());
    });
    Each([&](const SiteId& site, SecAggClient& client) {
      return server_->OnShares(site, *client.ShareKeys(server_->roster()));
    });
    clients_.erase(lost_);
    Each([&](const SiteId& site, SecAggClient& client) {
      absl::Status masked = client.MaskedInput(server_->InboxFor(site));
      return masked.ok() ? server_->OnMaskedInput(site) : masked;
    });
    Each([&](const SiteId& site, SecAggClient& client) {
      return server_->OnConfirmation(
          site, *client.Confirm(server_->SurvivorsMessage()));
    });
    Each([&](const SiteId& site, SecAggClient& client) {
      return server_->OnRevealed(site,
                                 *client.Unmask(server_->confirmations()));
    });
    std::vector<uint32_t> sum(kNumElements);
    const double start = Seconds();
    auto masks = server_->LeftoverMasks();
    HILUM_CHECK(masks.ok());
    ApplyMaskStreams(absl::MakeSpan(*masks), 0, absl::MakeSpan(sum));
    return Seconds() - start;
  }

 private:
  static std::unique_ptr<SimulatedConsortium> Consortium() {
    auto made = SimulatedConsortium::Create();
    HILUM_CHECK(made.ok());
    return *std::move(made);
  }
  template <typename Answer>
  void Each(Answer answer) {
    for (auto& [site, client] : clients_) {
      HILUM_CHECK(answer(site, *client).ok());
    }
    HILUM_CHECK(server_->Close().ok());
  }

  const std::unique_ptr<SimulatedConsortium> consortium_;
  SiteId lost_;
  std::map<SiteId, SimulatedConsortium::Member> members_;
  std::map<SiteId, std::unique_ptr<SecAggClient>> clients_;
  std::unique_ptr<SecAggServer> server_;
};

// One model of hilum_small, all of it trained, in one round.
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
    seconds.push_back(hilum::SumWithALoss(10).Unmask());
  }
  std::sort(seconds.begin(), seconds.end());
  std::printf("one of 10 sites lost, 11.7 M words: unmasked in %.3f s\n",
              seconds[2]);
  hilum::RunMany(sites);
  return 0;
}
