// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_BENCH_SUM_WITH_A_LOSS_H_
#define HILUM_TESTS_BENCH_SUM_WITH_A_LOSS_H_

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/clock.h"
#include "common/secagg/client.h"
#include "common/secagg/server.h"
#include "sim/simulated_consortium.h"

namespace hilum {

inline double Seconds() {
  return std::chrono::duration<double>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

inline std::string SiteName(int i) { return absl::StrCat("s", 1000 + i); }

// One sum of `sites` sites, like an honest coordinator runs it, whose last site
// is gone after ShareKeys. Its vectors have made-up digests and no bytes.
class SumWithALoss {
 public:
  explicit SumWithALoss(int sites) : consortium_(Consortium()) {
    for (int i = 0; i < sites; ++i) context_.cohort.emplace(SiteName(i));
    for (const SiteId& site : context_.cohort) {
      auto member = consortium_->Join(site);
      HILUM_CHECK(member.ok());
      members_.emplace(site, *std::move(member));
      clients_.emplace(site, std::make_unique<SecAggClient>(
                                 context_, site, members_.at(site).credentials,
                                 RealSecureRng()));
    }
    server_ = std::make_unique<SecAggServer>(context_, verifier());
    Run();
  }

  const SecAggContext& context() const { return context_; }
  const SecAggServer& server() const { return *server_; }
  const PeerVerifier& verifier() const {
    return *members_.begin()->second.credentials.verifier;
  }
  // Returns a verifier that has seen no certificate yet.
  std::unique_ptr<PeerVerifier> NewVerifier() const {
    return std::make_unique<PeerVerifier>(consortium_->authority_pem(),
                                          consortium_->name(), RealClock());
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
  void Run() {
    Each([&](const SiteId& site, SecAggClient& client) {
      return server_->OnKeys(site, *client.AdvertiseKeys());
    });
    Each([&](const SiteId& site, SecAggClient& client) {
      return server_->OnShares(site, *client.ShareKeys(server_->roster()));
    });
    clients_.erase(*context_.cohort.rbegin());
    Each([&](const SiteId& site, SecAggClient& client) {
      absl::Status status = client.MaskedInput(server_->InboxFor(site));
      if (!status.ok()) return status;
      const std::string digest(32, 'v');
      return server_->OnMaskedInput(site, digest, client.SignVector(digest));
    });
    Each([&](const SiteId& site, SecAggClient& client) {
      return server_->OnConfirmation(
          site, *client.Confirm(server_->SurvivorsMessage()));
    });
    Each([&](const SiteId& site, SecAggClient& client) {
      return server_->OnRevealed(site,
                                 *client.Unmask(server_->confirmations()));
    });
  }

  const std::unique_ptr<SimulatedConsortium> consortium_;
  SecAggContext context_{.study_hash = std::string(32, 'h'),
                         .round = 1,
                         .question = std::string(32, 'q')};
  std::map<SiteId, SimulatedConsortium::Member> members_;
  std::map<SiteId, std::unique_ptr<SecAggClient>> clients_;
  std::unique_ptr<SecAggServer> server_;
};

}  // namespace hilum

#endif  // HILUM_TESTS_BENCH_SUM_WITH_A_LOSS_H_
