// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/egress_gate.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/cause.h"
#include "common/base/printable.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "common/crypto/signature.h"
#include "site_agent/gateway/egress.h"

namespace hilum {
namespace {

constexpr size_t kMaxText = 300;     // of the coordinator's errors
constexpr size_t kMaxRefusal = 600;  // of a line about a refusal

// Returns the header of any request of hilum.v1.Federation.
v1::Header HeaderOf(const google::protobuf::Message& request) {
  const auto* field = request.GetDescriptor()->FindFieldByName("header");
  v1::Header header;
  if (field != nullptr) {
    header.CopyFrom(request.GetReflection()->GetMessage(request, field));
  }
  return header;
}

// Returns the name of the step's answer: keys, shares, masked, ...
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

// Returns an error of the coordinator or of the network, made printable.
absl::Status Explained(absl::string_view method, const absl::Status& error) {
  absl::StatusCode code = error.code();
  switch (code) {
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
      break;
    default:
      // Asked for work again, the coordinator may have some.
      if (method == "NextTask") code = absl::StatusCode::kUnavailable;
  }
  return WithCause(absl::Status(code, Printable(error.message(), kMaxText)),
                   CauseOf(error));
}

}  // namespace

absl::Status EgressGate::RecordUpload(const v1::UploadChunkRequest& chunk) {
  // Chunks of one upload leave together: no chunk before the ledger's entry.
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
    HILUM_RETURN_IF_ERROR(RecordUpload(*chunk));
  }
  if (!absl::StartsWith(method, "Submit")) {
    return ledger_.CountCall(method, ToHex(HeaderOf(request).study_hash()),
                             request.ByteSizeLong());
  }
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
      (!body.site().empty() && body.site() != facts_.site()) ||
      body.header().SerializeAsString() !=
          HeaderOf(request).SerializeAsString() ||
      body.request_sha256() != Sha256Of(request.SerializeAsString())) {
    return absl::DataLossError(
        absl::StrCat(method,
                     ": the coordinator's receipt is for another "
                     "message than the one sent"));
  }
  const std::string certificate = transport_.PeerCertificate();
  if (certificate.empty()) return absl::OkStatus();  // a simulated coordinator
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

absl::Status EgressGate::RecordRefusal(v1::LedgerEntry::Kind kind,
                                       absl::string_view method,
                                       const google::protobuf::Message& request,
                                       const absl::Status& why) {
  v1::LedgerEntry entry = EntryOf(kind, method, HeaderOf(request));
  // Repeats are counted by study. A made-up hash must not get a count of its
  // own.
  if (!facts_.Study(HeaderOf(request).study_hash()).ok()) {
    entry.clear_study_hash();
  }
  entry.set_detail(Printable(why.message(), kMaxRefusal));
  HILUM_RETURN_IF_ERROR(ledger_.Append(entry));
  return why;
}

absl::Status EgressGate::CheckAllowed(
    absl::string_view method, const google::protobuf::Message& request) {
  absl::Status allowed = CheckEgress(request);
  if (allowed.ok()) allowed = facts_.Check(method, request);
  if (allowed.ok()) return allowed;
  // Also if a fact is missing that should be there.
  return RecordRefusal(v1::LedgerEntry::GATE_REFUSED, method, request,
                       absl::PermissionDeniedError(allowed.message()));
}

absl::Status EgressGate::TakeAnswer(absl::string_view method,
                                    const google::protobuf::Message& request,
                                    google::protobuf::Message& response) {
  absl::Status good = inbound_.Take(request, response);
  const auto* submitted = dynamic_cast<v1::SubmitResponse*>(&response);
  if (good.ok() && submitted != nullptr) {
    good = CheckReceipt(method, request, submitted->receipt());
  }
  if (!good.ok()) {
    response.Clear();
    const std::string text = absl::StrCat(
        method, ": the coordinator's answer is refused: ", good.message());
    return RecordRefusal(v1::LedgerEntry::ANSWER_REFUSED, method, request,
                         absl::DataLossError(text));
  }
  if (submitted != nullptr) return RecordReceipt(method, submitted->receipt());
  const auto* next = dynamic_cast<v1::NextTaskResponse*>(&response);
  if (next == nullptr || !next->has_ended()) return absl::OkStatus();
  facts_.Forget(next->ended().header().study_hash());
  return ledger_.Flush();
}

absl::Status EgressGate::Call(absl::string_view method,
                              const google::protobuf::Message& request,
                              google::protobuf::Message* response,
                              absl::Duration timeout) {
  HILUM_RETURN_IF_ERROR(CheckAllowed(method, request));
  HILUM_RETURN_IF_ERROR(Record(method, request));
  absl::Status called = transport_.Call(method, request, response, timeout);
  if (!called.ok()) return Explained(method, called);
  return TakeAnswer(method, request, *response);
}

}  // namespace hilum
