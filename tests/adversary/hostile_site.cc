// SPDX-License-Identifier: Apache-2.0
#include "tests/adversary/hostile_site.h"

#include <utility>

#include "common/crypto/sha256.h"
#include "common/secagg/context.h"

namespace hilum {

// Its own gateway must not see that the other sites have its changed messages.
void HostileSite::Look(v1::NextTaskResponse& next) {
  if (!next.task().has_secure()) return;
  v1::SecureStep& shown = *next.mutable_task()->mutable_secure();
  if (shown.has_roster()) {
    roster_ = shown.roster();
  } else if (shown.has_inbox()) {
    sharers_ = {SiteId(site_)};
    for (const v1::SealedShare& share : shown.inbox().shares()) {
      sharers_.emplace(share.site());
    }
  } else if (shown.has_survivors()) {
    v1::Survivors& survivors = *shown.mutable_survivors();
    for (v1::SurvivorVector& vector : *survivors.mutable_vectors()) {
      if (vector.sha256() == told_sha256_) vector.set_sha256(own_sha256_);
    }
  }
}

absl::Status HostileSite::CallStep(const Said& request,
                                   google::protobuf::Message* response,
                                   absl::Duration timeout) {
  Said said = request;
  const Signer& signer = *MemberNamed(site_).signer;
  if (said.has_keys()) question_ = said.keys().question();
  if (said.has_shares()) commitment_ = said.shares().self_mask_commitment();
  const SecAggContext context{.study_hash = said.header().study_hash(),
                              .round = said.header().round(),
                              .question = question_};
  if (said.has_masked() && said.masked().sha256() == own_sha256_) {
    said.mutable_masked()->set_sha256(told_sha256_);
  }
  auto sign_keys = [&] {
    SecAggContext asked = context;
    asked.question = said.keys().question();
    said.mutable_keys()->set_signature(
        signer.Sign(KeysStatement(asked, SiteId(site_), said.keys())));
  };
  auto sign_vector = [&] {
    said.set_vector_signature(signer.Sign(
        VectorStatement(context, SiteId(site_), RosterHash(roster_), sharers_,
                        commitment_, said.masked().sha256())));
  };
  on_step({said, sign_keys, sign_vector});
  const absl::Status answered =
      network_->Call("SubmitSecureStep", said, response, timeout);
  if (absl::IsUnavailable(answered) || absl::IsCancelled(answered)) {
    return answered;
  }
  // The site goes on lying after the coordinator's refusal.
  v1::ReceiptBody body;
  *body.mutable_header() = request.header();
  body.set_method("SubmitSecureStep");
  body.set_request_sha256(Sha256Of(request.SerializeAsString()));
  dynamic_cast<v1::SubmitResponse&>(*response).mutable_receipt()->set_body(
      body.SerializeAsString());
  return absl::OkStatus();
}

absl::Status HostileSite::CallUpload(const v1::UploadChunkRequest& request,
                                     google::protobuf::Message* response,
                                     absl::Duration timeout) {
  const std::string bytes = on_upload(request);
  if (bytes.empty()) {
    return network_->Call("UploadChunk", request, response, timeout);
  }
  own_sha256_ = request.blob().sha256();
  told_sha256_ = Sha256Of(bytes);
  v1::UploadChunkRequest told = request;
  told.mutable_blob()->set_sha256(told_sha256_);
  if (!told.data().empty()) {
    told.set_data(bytes.substr(request.offset(), request.data().size()));
  }
  return network_->Call("UploadChunk", told, response, timeout);
}

absl::Status HostileSite::Call(absl::string_view method,
                               const google::protobuf::Message& request,
                               google::protobuf::Message* response,
                               absl::Duration timeout) {
  if (const auto* said = dynamic_cast<const Said*>(&request)) {
    return CallStep(*said, response, timeout);
  }
  if (const auto* chunk =
          dynamic_cast<const v1::UploadChunkRequest*>(&request)) {
    return CallUpload(*chunk, response, timeout);
  }
  const absl::Status answered =
      network_->Call(method, request, response, timeout);
  if (auto* next = dynamic_cast<v1::NextTaskResponse*>(response)) Look(*next);
  return answered;
}

void MakeHostile(AttackedStudy& study, const std::string& name,
                 const std::function<void(HostileSite&)>& configure) {
  study.site(name).wrap =
      [name, configure](
          std::unique_ptr<Transport> network) -> std::unique_ptr<Transport> {
    auto site = std::make_unique<HostileSite>(std::move(network), name);
    configure(*site);
    return site;
  };
}

}  // namespace hilum
