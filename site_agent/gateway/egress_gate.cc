// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/egress_gate.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "common/crypto/signature.h"
#include "site_agent/gateway/egress.h"

namespace hilum {
namespace {

// The header of any request of hilum.v1.Federation.
v1::Header HeaderOf(const google::protobuf::Message& request) {
  const auto* field = request.GetDescriptor()->FindFieldByName("header");
  v1::Header header;
  if (field != nullptr) {
    header.CopyFrom(request.GetReflection()->GetMessage(request, field));
  }
  return header;
}

// What it says of a masked sum: keys, shares, masked, ...
std::string StepName(const v1::SubmitSecureStepRequest& step) {
  const auto* said = step.GetReflection()->GetOneofFieldDescriptor(
      step, step.GetDescriptor()->oneof_decl(0));
  return said == nullptr ? std::string() : said->name();
}

v1::LedgerEntry EntryOf(v1::LedgerEntry::Kind kind, absl::string_view method,
                        const v1::Header& header) {
  v1::LedgerEntry entry;
  entry.set_kind(kind);
  entry.set_method(std::string(method));
  entry.set_study_hash(ToHex(header.study_hash()));
  entry.set_round(header.round());
  return entry;
}

}  // namespace

absl::Status EgressGate::RecordUpload(const v1::UploadChunkRequest& chunk) {
  // Chunks of one upload leave together: none before the entry is there.
  absl::MutexLock lock(&mutex_);
  if (chunk.blob().sha256() == last_upload_) return absl::OkStatus();
  v1::LedgerEntry entry =
      EntryOf(v1::LedgerEntry::SENT, "UploadChunk", chunk.header());
  entry.set_bytes(chunk.blob().size());
  entry.set_sha256(ToHex(chunk.blob().sha256()));
  HILUM_RETURN_IF_ERROR(ledger_.Append(entry));
  last_upload_ = chunk.blob().sha256();
  return absl::OkStatus();
}

absl::Status EgressGate::Record(absl::string_view method,
                                const google::protobuf::Message& request) {
  if (const auto* chunk =
          dynamic_cast<const v1::UploadChunkRequest*>(&request)) {
    return RecordUpload(*chunk);
  }
  if (!absl::StartsWith(method, "Submit")) return absl::OkStatus();
  v1::LedgerEntry entry =
      EntryOf(v1::LedgerEntry::SENT, method, HeaderOf(request));
  std::string bytes = request.SerializeAsString();
  entry.set_bytes(bytes.size());
  entry.set_sha256(ToHex(Sha256Of(bytes)));
  if (const auto* step =
          dynamic_cast<const v1::SubmitSecureStepRequest*>(&request)) {
    entry.set_detail(StepName(*step));
  }
  return ledger_.Append(entry);
}

absl::Status EgressGate::CheckReceipt(absl::string_view method,
                                      const google::protobuf::Message& request,
                                      const v1::Receipt& receipt) const {
  v1::ReceiptBody body;
  if (!body.ParseFromString(receipt.body()) || body.method() != method ||
      body.header().SerializeAsString() !=
          HeaderOf(request).SerializeAsString() ||
      body.request_sha256() != Sha256Of(request.SerializeAsString())) {
    return absl::DataLossError(
        absl::StrCat(method,
                     ": the coordinator's receipt is for another "
                     "message than the one sent"));
  }
  const std::string certificate = transport_.PeerCertificate();
  if (certificate.empty()) return absl::OkStatus();  // a simulated one
  absl::Status signature =
      VerifySignature(certificate, receipt.body(), receipt.signature());
  if (signature.ok()) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      method, ": the coordinator's receipt is not signed with its ",
      "certificate: ", signature.message()));
}

absl::Status EgressGate::RecordReceipt(absl::string_view method,
                                       const v1::Receipt& receipt) {
  v1::ReceiptBody body;
  body.ParseFromString(receipt.body());
  v1::LedgerEntry entry =
      EntryOf(v1::LedgerEntry::RECEIPT, method, body.header());
  entry.set_bytes(receipt.body().size());
  entry.set_sha256(ToHex(body.request_sha256()));
  entry.set_detail(ToHex(receipt.signature()));
  return ledger_.Append(entry);
}

absl::Status EgressGate::Call(absl::string_view method,
                              const google::protobuf::Message& request,
                              google::protobuf::Message* response,
                              absl::Duration timeout) {
  absl::Status allowed = CheckEgress(request);
  if (!allowed.ok()) {
    v1::LedgerEntry entry =
        EntryOf(v1::LedgerEntry::GATE_REFUSED, method, HeaderOf(request));
    entry.set_detail(std::string(allowed.message()));
    HILUM_RETURN_IF_ERROR(ledger_.Append(entry));
    return allowed;
  }
  HILUM_RETURN_IF_ERROR(Record(method, request));
  HILUM_RETURN_IF_ERROR(transport_.Call(method, request, response, timeout));
  if (const auto* submitted = dynamic_cast<v1::SubmitResponse*>(response)) {
    HILUM_RETURN_IF_ERROR(CheckReceipt(method, request, submitted->receipt()));
    return RecordReceipt(method, submitted->receipt());
  }
  return absl::OkStatus();
}

}  // namespace hilum
