// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/network/receive_object.h"

#include <dcmtk/config/osconfig.h>
// After its configuration.
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmnet/dimse.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "site_agent/ingest/incoming_file.h"
#include "site_agent/ingest/object_uid.h"

namespace hilum {
namespace {

absl::Status Lost(const OFCondition& condition) {
  return absl::UnavailableError(
      absl::StrCat("the association broke: ", condition.text()));
}

// Writes a data set's bytes to a file. Accepts all bytes even after an error,
// so that the message is read to its end; keeps the first error.
class FileConsumer : public DcmConsumer {
 public:
  explicit FileConsumer(absl::StatusOr<IncomingFile> file)
      : file_(std::move(file)), status_(file_.status()) {}

  OFBool good() const override { return OFTrue; }
  OFCondition status() const override { return EC_Normal; }
  OFBool isFlushed() const override { return OFTrue; }
  offile_off_t avail() const override { return 1 << 30; }
  void flush() override {}
  offile_off_t write(const void* bytes, offile_off_t size) override {
    if (status_.ok()) {
      status_ = file_->Append(absl::string_view(static_cast<const char*>(bytes),
                                                static_cast<size_t>(size)));
      if (!status_.ok()) file_ = status_;  // removes the file
    }
    return size;
  }

  absl::StatusOr<std::string> Finish() {
    HILUM_RETURN_IF_ERROR(status_);
    return file_->Finish();
  }

 private:
  absl::StatusOr<IncomingFile> file_;
  absl::Status status_;
};

class FileStream : public DcmOutputStream {
 public:
  explicit FileStream(FileConsumer* consumer) : DcmOutputStream(consumer) {}
};

ReceivedObject Failed(uint16_t status, absl::string_view comment) {
  return {status, false, std::string(comment)};
}

// Returns the message after the file's name, which contains the object's UID.
absl::string_view Why(absl::string_view message) {
  const size_t colon = message.rfind(": ");
  return colon == absl::string_view::npos ? message : message.substr(colon + 2);
}

// Tells the sender not to try again if the object is too large.
ReceivedObject NotKept(const absl::Status& status) {
  if (absl::IsOutOfRange(status)) {
    return Failed(kStoreCannotUnderstand, status.message());
  }
  return Failed(kStoreOutOfResources, absl::IsResourceExhausted(status)
                                          ? "the disk is full"
                                          : Why(status.message()));
}

ReceivedObject Hand(absl::StatusOr<std::string> name, IntakeChannel& intake) {
  if (!name.ok()) return NotKept(name.status());
  auto answer = intake.Take(*name);
  if (!answer.ok()) return NotKept(answer.status());
  switch (answer->kind) {
    case IntakeAnswer::Kind::kCommitted:
      return {kStoreSuccess, false, ""};
    case IntakeAnswer::Kind::kRefused:
      return {kStoreSuccess, true, std::move(answer->reason)};
    case IntakeAnswer::Kind::kFull:
      return Failed(kStoreOutOfResources, "the disk is full");
    case IntakeAnswer::Kind::kError:
      break;
  }
  return Failed(kStoreOutOfResources, Why(answer->reason));
}

// Reads the data set to its end without answering.
absl::Status Skip(T_ASC_Association* association) {
  DIC_UL bytes = 0, count = 0;
  const OFCondition condition = DIMSE_ignoreDataSet(
      association, DIMSE_NONBLOCKING, kMessageSeconds, &bytes, &count);
  return condition.good() ? absl::OkStatus() : Lost(condition);
}

absl::StatusOr<ReceivedObject> Store(T_ASC_Association* association,
                                     uint8_t context_id,
                                     const ObjectNames& names,
                                     const std::string& incoming,
                                     IntakeChannel& intake) {
  FileConsumer consumer(IncomingFile::Create(incoming, names));
  FileStream stream(&consumer);
  T_ASC_PresentationContextID data_context = 0;
  const OFCondition condition = DIMSE_receiveDataSetInFile(
      association, DIMSE_NONBLOCKING, kMessageSeconds, &data_context, &stream,
      nullptr, nullptr);
  if (condition.bad()) return Lost(condition);
  if (data_context != context_id) {
    return absl::UnavailableError(
        "a data set in another context than its "
        "request");
  }
  return Hand(consumer.Finish(), intake);
}

absl::Status Answer(T_ASC_Association* association, uint8_t context_id,
                    const T_DIMSE_C_StoreRQ& request,
                    const ReceivedObject& result) {
  T_DIMSE_C_StoreRSP response = {};
  response.MessageIDBeingRespondedTo = request.MessageID;
  response.DataSetType = DIMSE_DATASET_NULL;
  response.DimseStatus = result.status;
  response.opts = O_STORE_AFFECTEDSOPCLASSUID | O_STORE_AFFECTEDSOPINSTANCEUID;
  std::memcpy(response.AffectedSOPClassUID, request.AffectedSOPClassUID,
              sizeof response.AffectedSOPClassUID);
  std::memcpy(response.AffectedSOPInstanceUID, request.AffectedSOPInstanceUID,
              sizeof response.AffectedSOPInstanceUID);
  DcmDataset detail;
  if (result.status != kStoreSuccess) {
    // LO: 64 characters, no backslash (PS3.5 section 6.2).
    std::string comment = result.comment.substr(0, 64);
    std::replace(comment.begin(), comment.end(), '\\', '/');
    detail.putAndInsertString(DCM_ErrorComment, comment.c_str());
  }
  const OFCondition sent = DIMSE_sendStoreResponse(
      association, context_id, &request, &response,
      result.status == kStoreSuccess ? nullptr : &detail);
  return sent.good() ? absl::OkStatus() : Lost(sent);
}

}  // namespace

absl::StatusOr<ReceivedObject> ReceiveObject(T_ASC_Association* association,
                                             uint8_t context_id,
                                             const T_DIMSE_C_StoreRQ& request,
                                             const std::string& incoming,
                                             IntakeChannel& intake) {
  T_ASC_PresentationContext context = {};
  const OFCondition found = ASC_findAcceptedPresentationContext(
      association->params, context_id, &context);
  if (found.bad()) return Lost(found);
  if (request.DataSetType == DIMSE_DATASET_NULL) {
    return absl::UnavailableError("a C-STORE without a data set");
  }
  const ObjectNames names{request.AffectedSOPClassUID,
                          ObjectUid(request.AffectedSOPInstanceUID),
                          context.acceptedTransferSyntax};
  ReceivedObject result;
  if (names.sop_class != context.abstractSyntax) {
    HILUM_RETURN_IF_ERROR(Skip(association));
    result = Failed(kStoreClassNotSupported, "not the class of its context");
  } else if (names.sop_instance.empty()) {
    HILUM_RETURN_IF_ERROR(Skip(association));
    result = Failed(kStoreInvalidInstance, "no SOP Instance UID");
  } else {
    HILUM_ASSIGN_OR_RETURN(
        result, Store(association, context_id, names, incoming, intake));
  }
  HILUM_RETURN_IF_ERROR(Answer(association, context_id, request, result));
  return result;
}

}  // namespace hilum
