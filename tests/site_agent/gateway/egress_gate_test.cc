// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/egress_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>

#include "absl/strings/str_cat.h"
#include "certs/authority.h"
#include "common/base/file.h"
#include "common/base/ids.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "common/crypto/signature.h"
#include "tests/site_agent/gateway/ledger_lines.h"
#include "tests/site_agent/gateway/site_at_work.h"

namespace hilum {
namespace {

using testing::HasSubstr;

// A coordinator that answers every call with a receipt.
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
    if (!answer.ok()) return answer;
    if (method == "NextTask") {
      response->CopyFrom(next);
      return absl::OkStatus();
    }
    if (method == "UploadChunk") {
      v1::UploadChunkResponse stored;
      response->CopyFrom(stored);
      return absl::OkStatus();
    }
    const auto& update = dynamic_cast<const v1::SubmitUpdateRequest&>(request);
    v1::ReceiptBody body;
    *body.mutable_header() = update.header();
    body.set_site("a");
    body.set_method(std::string(method));
    body.set_request_sha256(Sha256Of(request.SerializeAsString()));
    if (tamper) tamper(body);
    v1::Receipt& receipt =
        *dynamic_cast<v1::SubmitResponse&>(*response).mutable_receipt();
    receipt.set_body(body.SerializeAsString() + padding);
    receipt.set_signature(
        signer_->Sign(sign_other ? "other bytes" : receipt.body()));
    return absl::OkStatus();
  }
  std::string PeerCertificate() const override { return certificate_; }
  void Shutdown() override {}

  int calls = 0;
  bool sign_other = false;
  absl::Status answer;
  v1::NextTaskResponse next;
  std::string padding;
  std::function<void(v1::ReceiptBody&)> tamper;

 private:
  std::string certificate_;
  std::optional<Signer> signer_;
};

std::string NewFolder() {
  std::string path = absl::StrCat(
      testing::TempDir(), "/gate-",
      testing::UnitTest::GetInstance()->current_test_info()->name());
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(path);
  return path;
}

class EgressGateTest : public testing::Test {
 protected:
  EgressGateTest() {
    const std::string bytes = SerializeStudy(SmallStudy());
    hash_ = Sha256Of(bytes);
    EXPECT_TRUE(approvals_.PutOffer(hash_, bytes).ok());
    v1::Header& header = *request_.mutable_header();
    header.set_protocol_version(kProtocolVersion);
    header.set_study_hash(hash_);
    header.set_round(3);
    request_.mutable_update()->set_sha256(std::string(32, 'u'));
    request_.mutable_update()->set_size(4096);
    facts_.RegisterUpload(hash_, request_.update());
  }
  absl::Status Submit() {
    v1::SubmitResponse response;
    return gate_.Call("SubmitUpdate", request_, &response, absl::Seconds(1));
  }
  absl::Status Upload(uint64_t offset, size_t bytes) {
    v1::UploadChunkRequest chunk;
    *chunk.mutable_header() = request_.header();
    *chunk.mutable_blob() = request_.update();
    chunk.set_offset(offset);
    chunk.set_data(std::string(bytes, '\0'));
    sent_bytes_ += chunk.ByteSizeLong();
    v1::UploadChunkResponse response;
    return gate_.Call("UploadChunk", chunk, &response, absl::Seconds(1));
  }
  absl::Status Poll() {
    v1::NextTaskRequest poll;
    poll.mutable_header()->set_protocol_version(kProtocolVersion);
    poll.set_software_version(std::string(SoftwareVersion()));
    sent_bytes_ += poll.ByteSizeLong();
    v1::NextTaskResponse response;
    return gate_.Call("NextTask", poll, &response, absl::Seconds(1));
  }
  std::string LedgerText() const { return ReadFile(path_).value(); }
  std::vector<std::string> Details(v1::LedgerEntry::Kind kind) const {
    return LedgerDetails(path_, kind);
  }

  const std::string folder_ = NewFolder();
  const std::string path_ = folder_ + "/ledger.jsonl";
  const Authority authority_ =
      MakeAuthority("lungs", RealClock().Now()).value();
  const Approvals approvals_ = Approvals::Open(folder_).value();
  EgressFacts facts_{{.site = "a"}, approvals_, RealClock()};
  ReceiptTransport transport_{authority_};
  std::unique_ptr<Ledger> ledger_ = Ledger::Open(path_, RealClock()).value();
  EgressGate gate_{transport_, *ledger_, approvals_, facts_};
  std::string hash_;
  v1::SubmitUpdateRequest request_;
  uint64_t sent_bytes_ = 0;
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
      [](v1::ReceiptBody& body) { body.set_site("b"); },
      [](v1::ReceiptBody& body) { body.set_method("SubmitCensus"); }};
  for (const auto& tamper : tampers) {
    transport_.tamper = tamper;
    EXPECT_EQ(Submit().code(), absl::StatusCode::kDataLoss);
  }
  EXPECT_THAT(LedgerText(), testing::Not(HasSubstr("\"RECEIPT\"")));
  EXPECT_THAT(Details(v1::LedgerEntry::ANSWER_REFUSED),
              testing::Each(HasSubstr("receipt is for another message")));
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

TEST_F(EgressGateTest, FileThatThisGatewayDidNotMakeIsNotSent) {
  request_.mutable_update()->set_sha256(std::string(32, 'x'));
  EXPECT_EQ(Submit().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(transport_.calls, 0);
  EXPECT_THAT(Details(v1::LedgerEntry::GATE_REFUSED),
              testing::ElementsAre(HasSubstr("has made")));
}

TEST_F(EgressGateTest, LongReceiptIsNotTaken) {
  transport_.padding = std::string(600, 'x');
  EXPECT_EQ(Submit().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(Details(v1::LedgerEntry::ANSWER_REFUSED),
              testing::ElementsAre(HasSubstr("of at most 512")));
}

// The ledger counts each chunk, also repeated ones, and each question.
TEST_F(EgressGateTest, BytesOfEveryCallAreInTheLedger) {
  for (uint64_t offset : {0, 1024, 0, 1024, 2048}) {
    ASSERT_TRUE(Upload(offset, 1024).ok());
  }
  for (int i = 0; i < 7; ++i) ASSERT_TRUE(Poll().ok());
  ASSERT_TRUE(Submit().ok());
  uint64_t bytes = 0, calls = 0;
  bool sent = false;
  for (const v1::LedgerEntry& line : LedgerLines(path_)) {
    if (line.method() == "SubmitUpdate") sent = true;
    if (line.kind() != v1::LedgerEntry::CALLED) continue;
    EXPECT_FALSE(sent) << "a call stands behind what was sent after it";
    bytes += line.bytes();
    calls += line.count();
  }
  EXPECT_TRUE(sent);
  EXPECT_EQ(calls, 12u);
  EXPECT_EQ(bytes, sent_bytes_);
}

TEST_F(EgressGateTest, TextOfTheCoordinatorsErrorIsPrintableAndShort) {
  transport_.answer = absl::FailedPreconditionError("\x1b[2J\nAPPROVED" +
                                                    std::string(5000, 'x'));
  const absl::Status status = Submit();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message().substr(0, 19), "\\x1B[2J\\x0AAPPROVED");
  EXPECT_LE(status.message().size(), 300u);
}

TEST_F(EgressGateTest, ErrorThatNamesNothingToMendIsAskedAgain) {
  for (absl::StatusCode code :
       {absl::StatusCode::kInternal, absl::StatusCode::kDataLoss,
        absl::StatusCode::kUnknown, absl::StatusCode::kNotFound}) {
    transport_.answer = absl::Status(code, "odd");
    EXPECT_EQ(Poll().code(), absl::StatusCode::kUnavailable);
  }
  transport_.answer = absl::UnauthenticatedError("revoked");
  EXPECT_EQ(Poll().code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(EgressGateTest, RefusedAnswerIsNotHandedOn) {
  transport_.next.mutable_ended()->mutable_header()->set_study_hash(
      std::string(300, 'h'));
  EXPECT_EQ(Poll().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(Details(v1::LedgerEntry::ANSWER_REFUSED),
              testing::ElementsAre(HasSubstr("a hash of 300 bytes")));
}

}  // namespace
}  // namespace hilum
