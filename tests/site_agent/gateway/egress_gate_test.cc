// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/egress_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>

#include "certs/authority.h"
#include "common/base/file.h"
#include "common/crypto/sha256.h"
#include "common/crypto/signature.h"

namespace hilum {
namespace {

using testing::HasSubstr;

// A coordinator that answers everything with a receipt.
class ReceiptTransport : public Transport {
 public:
  explicit ReceiptTransport(const Authority& authority) {
    Request request = MakeRequest({.hosts = {"localhost"}}).value();
    certificate_ =
        SignRequest(authority, request.request_pem, 1, RealClock().Now())
            .value();
    signer_.emplace(Signer::Create(request.private_key_pem).value());
  }

  absl::Status Call(absl::string_view method,
                    const google::protobuf::Message& request,
                    google::protobuf::Message* response,
                    absl::Duration timeout) override {
    ++calls;
    const auto& update = dynamic_cast<const v1::SubmitUpdateRequest&>(request);
    v1::ReceiptBody body;
    *body.mutable_header() = update.header();
    body.set_method(std::string(method));
    body.set_request_sha256(Sha256Of(request.SerializeAsString()));
    if (tamper) tamper(body);
    v1::Receipt& receipt =
        *dynamic_cast<v1::SubmitResponse&>(*response).mutable_receipt();
    receipt.set_body(body.SerializeAsString());
    receipt.set_signature(
        signer_->Sign(sign_other ? "other bytes" : receipt.body()));
    return absl::OkStatus();
  }
  std::string PeerCertificate() const override { return certificate_; }
  void Shutdown() override {}

  int calls = 0;
  bool sign_other = false;
  std::function<void(v1::ReceiptBody&)> tamper;

 private:
  std::string certificate_;
  std::optional<Signer> signer_;
};

class EgressGateTest : public testing::Test {
 protected:
  EgressGateTest() {
    std::filesystem::remove(path_);
    ledger_ = Ledger::Open(path_, RealClock()).value();
    request_.mutable_header()->set_round(3);
  }
  absl::Status Submit() {
    EgressGate gate(transport_, *ledger_);
    v1::SubmitResponse response;
    return gate.Call("SubmitUpdate", request_, &response, absl::Seconds(1));
  }
  std::string LedgerText() const { return ReadFile(path_).value(); }

  const std::string path_ = testing::TempDir() + "/egress_gate_test.jsonl";
  const Authority authority_ =
      MakeAuthority("lungs", RealClock().Now()).value();
  ReceiptTransport transport_{authority_};
  std::unique_ptr<Ledger> ledger_;
  v1::SubmitUpdateRequest request_;
};

TEST_F(EgressGateTest, SignedReceiptIsRecordedBesideWhatWasSent) {
  ASSERT_TRUE(Submit().ok());
  EXPECT_THAT(LedgerText(), HasSubstr("\"SENT\""));
  EXPECT_THAT(LedgerText(), HasSubstr("\"RECEIPT\""));
}

TEST_F(EgressGateTest, ReceiptForAnotherMessageIsNotTaken) {
  const std::vector<std::function<void(v1::ReceiptBody&)>> tampers = {
      [](v1::ReceiptBody& body) { body.set_request_sha256(Sha256Of("x")); },
      [](v1::ReceiptBody& body) { body.mutable_header()->set_round(4); },
      [](v1::ReceiptBody& body) { body.set_method("SubmitCensus"); }};
  for (const auto& tamper : tampers) {
    transport_.tamper = tamper;
    EXPECT_EQ(Submit().code(), absl::StatusCode::kDataLoss);
  }
  EXPECT_THAT(LedgerText(), testing::Not(HasSubstr("\"RECEIPT\"")));
}

TEST_F(EgressGateTest, ReceiptThatTheCoordinatorDidNotSignIsNotTaken) {
  transport_.sign_other = true;
  EXPECT_EQ(Submit().code(), absl::StatusCode::kDataLoss);
}

TEST_F(EgressGateTest, WhatMayNotLeaveIsNotSentAndIsRecorded) {
  request_.mutable_update()->set_sha256("short");
  EXPECT_EQ(Submit().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(transport_.calls, 0);
  EXPECT_THAT(LedgerText(), HasSubstr("GATE_REFUSED"));
}

}  // namespace
}  // namespace hilum
