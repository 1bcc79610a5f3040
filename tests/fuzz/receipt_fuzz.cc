// SPDX-License-Identifier: Apache-2.0
// Fuzzes a coordinator's answers to a message, and an existing ledger. Only an
// answer that the coordinator signed is accepted as its receipt.
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "certs/authority.h"
#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "common/crypto/signature.h"
#include "site_agent/gateway/egress_gate.h"
#include "tests/fuzz/input.h"

namespace hilum {
namespace {

// A coordinator with a certificate, and an answer set by the target.
class FuzzTransport : public Transport {
 public:
  FuzzTransport() {
    const absl::Time now = RealClock().Now();
    const Authority authority = MakeAuthority("lungs", now).value();
    const Request request = MakeRequest({.hosts = {"localhost"}}).value();
    certificate_ = SignRequest(authority, request.request_pem, 1, now).value();
    signer_.emplace(Signer::Create(request.private_key_pem).value());
  }

  absl::Status Call(absl::string_view, const google::protobuf::Message&,
                    google::protobuf::Message* response,
                    absl::Duration) override {
    response->CopyFrom(answer);
    return absl::OkStatus();
  }
  std::string PeerCertificate() const override { return certificate_; }
  void Shutdown() override {}

  void Sign() {
    v1::Receipt& receipt = *answer.mutable_receipt();
    receipt.set_signature(signer_->Sign(receipt.body()));
  }

  v1::SubmitResponse answer;

 private:
  std::string certificate_;
  std::optional<Signer> signer_;
};

// Returns the receipt that belongs to `request`.
v1::ReceiptBody Right(const v1::SubmitUpdateRequest& request) {
  v1::ReceiptBody body;
  *body.mutable_header() = request.header();
  body.set_method("SubmitUpdate");
  body.set_request_sha256(Sha256Of(request.SerializeAsString()));
  return body;
}

// A site that was offered one study and has made one update.
struct Site {
  Site() {
    v1::Study study;
    study.set_name("tiny");
    for (const char* label : {"sick", "well"}) study.add_classes(label);
    study.add_sites("a");
    study.add_arms(v1::ARM_WHOLE);
    study.mutable_model()->set_trainable(v1::Model::TRAINABLE_HEAD);
    study.mutable_cross_validation()->set_folds(2);
    FillStudyDefaults(study);
    const std::string bytes = SerializeStudy(study);
    v1::Header& header = *request.mutable_header();
    header.set_protocol_version(kProtocolVersion);
    header.set_study_hash(Sha256Of(bytes));
    header.set_round(3);
    HILUM_CHECK(approvals.PutOffer(header.study_hash(), bytes).ok());
    request.mutable_update()->set_sha256(std::string(32, 'u'));
    request.mutable_update()->set_size(4);
    facts.RegisterUpload(header.study_hash(), request.update());
  }

  static std::string NewFolder() {
    std::string path =
        (std::filesystem::temp_directory_path() / "receipt-XXXXXX").string();
    HILUM_CHECK(mkdtemp(path.data()) != nullptr);
    return path;
  }

  const std::string folder = NewFolder();
  const Approvals approvals = Approvals::Open(folder).value();
  EgressFacts facts{{.site = "a"}, approvals, RealClock()};
  v1::SubmitUpdateRequest request;
};

}  // namespace
}  // namespace hilum

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hilum;
  static FuzzTransport& transport = *new FuzzTransport;
  static Site& site = *new Site;
  static const bool removed =
      std::atexit([] { std::filesystem::remove_all(site.folder); }) == 0;
  HILUM_CHECK(removed);
  FuzzInput input(data, size);
  const uint8_t how = input.Byte();
  const MemoryFile file(input.Text());
  auto ledger = Ledger::Open(file.path(), RealClock());
  HILUM_CHECK(ledger.ok());
  const v1::SubmitUpdateRequest& request = site.request;
  transport.answer.ParseFromString(input.Rest());
  v1::Receipt& receipt = *transport.answer.mutable_receipt();
  if (how & 1) receipt.set_body(Right(request).SerializeAsString());
  if (how & 2) transport.Sign();
  EgressGate gate(transport, **ledger, site.approvals, site.facts);
  v1::SubmitResponse response;
  const absl::Status status =
      gate.Call("SubmitUpdate", request, &response, absl::Seconds(1));
  HILUM_CHECK(status.ok() ? (how & 2) != 0 : absl::IsDataLoss(status));
  HILUM_CHECK(status.ok() || (how & 3) != 3);
  return 0;
}
