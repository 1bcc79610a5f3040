// SPDX-License-Identifier: Apache-2.0
// Fuzzes one secure sum of four sites. The bytes say which site is silent or
// lies in which step, and whether the coordinator lies. If the coordinator does
// not lie, a site that keeps to the protocol never fails, whatever the others
// send.
#include <memory>

#include "common/secagg/opening.h"
#include "tests/common/secagg/cohort.h"
#include "tests/fuzz/input.h"
#include "tests/support/seeded_secure_rng.h"

namespace hilum {
namespace {

using google::protobuf::Message;

constexpr int kSites = 4;  // three are enough

// Changes a message as the bytes say.
void Tamper(FuzzInput& input, Message& message) {
  switch (input.Byte() % 4) {
    case 0:
      message.ParseFromString(input.Text());
      return;
    case 1:
      message.MergeFromString(input.Text());
      return;
    case 2: {
      std::string bytes = message.SerializeAsString();
      const size_t at = input.Byte() << 8 | input.Byte();
      if (!bytes.empty()) {
        bytes[at % bytes.size()] ^= static_cast<char>(input.Byte());
      }
      message.ParseFromString(bytes);
      return;
    }
    default:
      message.Clear();
  }
}

class FuzzedSum {
 public:
  explicit FuzzedSum(FuzzInput& input)
      : input_(input), honest_coordinator_(input.Byte() % 2 == 0) {
    for (const SiteId& site : context_.cohort) {
      clients_[site] = std::make_unique<SecAggClient>(
          context_, site, Consortium::Get().Of(site), rng_);
    }
  }

  void Run() {
    if (AdvertiseKeys() && ShareKeys() && MaskedInput() && Confirm() &&
        Unmask()) {
      CheckSum();
    }
    (void)server_.Close();
    (void)server_.Open();
  }

 private:
  // `ask(site)` returns the client's answer to what it is shown, `tell(site,
  // answer)` hands the answer to the server.
  template <typename Ask, typename Tell>
  bool Step(Ask ask, Tell tell) {
    const std::set<SiteId> expected = server_.expected();
    for (const SiteId& site : expected) {
      const uint8_t silent_or_lies = input_.Byte() % 4;
      if (silent_or_lies == 1) continue;
      auto answer = ask(site);
      HILUM_CHECK(answer.ok() || !Trusts(site));
      if (!answer.ok()) continue;
      if (silent_or_lies > 1) {
        liars_.insert(site);
        Tamper(input_, *answer);
        Sign(site, *answer);
      }
      const absl::Status status = tell(site, *answer);
      HILUM_CHECK(status.ok() || !Trusts(site));
    }
    return server_.Close().ok();
  }

  bool Trusts(const SiteId& site) const {
    return honest_coordinator_ && !liars_.contains(site);
  }

  // A liar may sign its lie.
  void Sign(const SiteId& site, v1::RoundKeys& keys) {
    lied_about_keys_ = true;
    if (input_.Byte() % 2 == 0) return;
    keys.set_certificate(Consortium::Get().Of(site).certificate_pem);
    keys.set_signature(Consortium::Get().Of(site).signer->Sign(
        KeysStatement(context_, site, keys)));
  }
  void Sign(const SiteId& site, v1::SurvivorVector& vector) {
    if (input_.Byte() % 2 == 0) return;
    vector.set_signature(clients_[site]->SignVector(vector.sha256()));
  }
  void Sign(const SiteId&, const Message&) {}

  // Returns what the coordinator shows a site.
  template <typename Shown>
  Shown Show(Shown message) {
    if (!honest_coordinator_ && input_.Byte() % 4 == 1) {
      Tamper(input_, message);
    }
    return message;
  }

  bool AdvertiseKeys() {
    return Step(
        [&](const SiteId& site) { return clients_[site]->AdvertiseKeys(); },
        [&](const SiteId& site, const v1::RoundKeys& keys) {
          return server_.OnKeys(site, keys);
        });
  }
  bool ShareKeys() {
    return Step(
        [&](const SiteId& site) {
          return clients_[site]->ShareKeys(Show(server_.roster()));
        },
        [&](const SiteId& site, const v1::SealedShares& shares) {
          return server_.OnShares(site, shares);
        });
  }
  bool MaskedInput() {
    return Step(
        [&](const SiteId& site) -> absl::StatusOr<v1::SurvivorVector> {
          absl::Status status =
              clients_[site]->MaskedInput(Show(server_.InboxFor(site)));
          if (!status.ok()) return status;
          std::vector<uint32_t> words = {1, 2, 3, 4, 5};
          clients_[site]->Mask(0, absl::MakeSpan(words));
          masked_[site] = words;
          v1::SurvivorVector vector;
          vector.set_sha256(DigestOf(words));
          vector.set_signature(clients_[site]->SignVector(vector.sha256()));
          return vector;
        },
        [&](const SiteId& site, const v1::SurvivorVector& vector) {
          return server_.OnMaskedInput(site, vector.sha256(),
                                       vector.signature());
        });
  }
  bool Confirm() {
    return Step(
        [&](const SiteId& site) {
          return clients_[site]->Confirm(Show(server_.SurvivorsMessage()));
        },
        [&](const SiteId& site, const v1::Confirmation& confirmation) {
          return server_.OnConfirmation(site, confirmation);
        });
  }
  bool Unmask() {
    return Step(
        [&](const SiteId& site) {
          return clients_[site]->Unmask(Show(server_.confirmations()));
        },
        [&](const SiteId& site, const v1::RevealedShares& shares) {
          return server_.OnRevealed(site, shares);
        });
  }

  // Checks that the sum is right or reported lost. A site accepts the opening,
  // since this server keeps to the protocol whatever it shows.
  void CheckSum() {
    auto opening = server_.Open();
    if (!opening.ok()) {
      HILUM_CHECK(!honest_coordinator_ || !liars_.empty());
      return;
    }
    HILUM_CHECK(
        CheckOpening(context_, Consortium::Get().verifier(), *opening).ok());
    auto masks = LeftoverMasks(context_, *opening);
    HILUM_CHECK(masks.ok());
    std::vector<uint32_t> sum(5);
    for (const SiteId& site : server_.survivors()) {
      for (size_t i = 0; i < sum.size(); ++i) sum[i] += masked_[site][i];
    }
    ApplyMaskStreams(absl::MakeSpan(*masks), 0, absl::MakeSpan(sum));
    if (!honest_coordinator_ || lied_about_keys_) return;
    for (uint32_t i = 0; i < sum.size(); ++i) {
      HILUM_CHECK(sum[i] == (i + 1) * server_.survivors().size());
    }
  }

  FuzzInput& input_;
  const bool honest_coordinator_;
  const SecAggContext context_ = Consortium::Context(kSites);
  SeededSecureRng rng_{1, "secagg_fuzz"};
  SecAggServer server_{context_, Consortium::Get().verifier()};
  std::map<SiteId, std::unique_ptr<SecAggClient>> clients_;
  std::map<SiteId, std::vector<uint32_t>> masked_;
  std::set<SiteId> liars_;
  bool lied_about_keys_ = false;
};

}  // namespace
}  // namespace hilum

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hilum::FuzzInput input(data, size);
  hilum::FuzzedSum(input).Run();
  return 0;
}
