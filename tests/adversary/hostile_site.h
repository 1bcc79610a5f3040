// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_ADVERSARY_HOSTILE_SITE_H_
#define HILUM_TESTS_ADVERSARY_HOSTILE_SITE_H_

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "common/base/ids.h"
#include "hilum/v1/federation.pb.h"
#include "site_agent/gateway/transport.h"
#include "tests/adversary/attacked_study.h"

namespace hilum {

// A site that lies: it changes its gateway's steps of sums behind the gate, on
// the way to the network, and signs them anew with the site's own key. It sees
// what the coordinator shows the site, and hides its changes from its own
// gateway. For one study. Not thread-safe: a gateway makes one call after
// another.
class HostileSite : public Transport {
 public:
  using Said = v1::SubmitSecureStepRequest;

  // A step that is changed, with functions that sign it.
  struct Lie {
    Said& said;
    // Sign the keys, or the vector, as they are now in `said`.
    std::function<void()> sign_keys;
    std::function<void()> sign_vector;
  };

  HostileSite(std::unique_ptr<Transport> network, std::string name)
      : network_(std::move(network)), site_(std::move(name)) {}

  // Called with each step's answer.
  std::function<void(Lie)> on_step = [](const Lie&) {};
  // Returns the bytes to upload instead of a masked vector; empty: no change.
  std::function<std::string(const v1::UploadChunkRequest&)> on_upload =
      [](const v1::UploadChunkRequest&) { return std::string(); };

  absl::Status Call(absl::string_view method,
                    const google::protobuf::Message& request,
                    google::protobuf::Message* response,
                    absl::Duration timeout) override;
  // No certificate: the gateway would see receipts for other messages.
  std::string PeerCertificate() const override { return std::string(); }
  void Interrupt() override { network_->Interrupt(); }
  void Shutdown() override { network_->Shutdown(); }

 private:
  absl::Status CallStep(const Said& request,
                        google::protobuf::Message* response,
                        absl::Duration timeout);
  absl::Status CallUpload(const v1::UploadChunkRequest& request,
                          google::protobuf::Message* response,
                          absl::Duration timeout);
  void Look(v1::NextTaskResponse& next);

  const std::unique_ptr<Transport> network_;
  const std::string site_;
  std::string question_;
  v1::Roster roster_;
  std::set<SiteId> sharers_;
  std::string commitment_;
  // The digest of its vector, as its gateway has it and as it told the
  // coordinator.
  std::string own_sha256_, told_sha256_;
};

// Puts a HostileSite between the gate and the network of one site.
void MakeHostile(AttackedStudy& study, const std::string& name,
                 const std::function<void(HostileSite&)>& configure);

}  // namespace hilum

#endif  // HILUM_TESTS_ADVERSARY_HOSTILE_SITE_H_
