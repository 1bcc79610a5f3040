// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/network/dicom_peer.h"

#include <dcmtk/config/osconfig.h>
// After its configuration.
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmnet/dimse.h>
#include <dcmtk/dcmnet/diutil.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "common/base/status_macros.h"
#include "site_agent/ingest/network/association_scp.h"
#include "site_agent/ingest/network/receive_object.h"
#include "site_agent/ingest/network/storage_contexts.h"
#include "site_agent/ingest/object_uid.h"

namespace hilum {
namespace {

constexpr long kMaxPduBytes = 65536;
constexpr int kConnectSeconds = 30;
constexpr int kAnswerSeconds = 300;  // a PACS may fetch from tape

constexpr const char* kFind = UID_FINDStudyRootQueryRetrieveInformationModel;
constexpr const char* kGet = UID_GETStudyRootQueryRetrieveInformationModel;
constexpr const char* kMove = UID_MOVEStudyRootQueryRetrieveInformationModel;

std::string StatusText(uint16_t status, const char* meaning) {
  return absl::StrFormat("status %04XH, %s", status, meaning);
}

std::string Value(DcmItem& item, const DcmTagKey& tag) {
  OFString value;
  item.findAndGetOFStringArray(tag, value);
  return std::string(absl::StripAsciiWhitespace(
      absl::string_view(value.c_str(), value.size())));
}

// Returns the keys of one level, with `level` among them.
DcmDataset Identifier(
    const char* level,
    const std::vector<std::pair<DcmTagKey, std::string>>& keys) {
  DcmDataset out;
  out.putAndInsertString(DCM_QueryRetrieveLevel, level);
  for (const auto& [tag, value] : keys) {
    out.putAndInsertString(tag, value.c_str());
  }
  return out;
}

DcmDataset ImageIdentifier(const ImageKeys& image) {
  return Identifier("IMAGE", {{DCM_StudyInstanceUID, image.study},
                              {DCM_SeriesInstanceUID, image.series},
                              {DCM_SOPInstanceUID, image.instance}});
}

std::string RejectionOf(T_ASC_Parameters* parameters) {
  T_ASC_RejectParameters reject = {};
  ASC_getRejectParameters(parameters, &reject);
  OFString text;
  ASC_printRejectParameters(text, &reject);
  std::string out =
      absl::StrCat("the association was rejected: ", text.c_str());
  std::replace(out.begin(), out.end(), '\n', ' ');
  return out;
}

// Collects the values of some tags from a query's matches.
struct Matches {
  std::vector<DcmTagKey> tags;
  // Chooses the matches to keep; null: all.
  std::function<bool(const std::vector<std::string>&)> wanted = nullptr;
  std::vector<std::vector<std::string>> rows;  // in the order of the tags
  size_t seen = 0;
  bool too_many = false;
  // For telling the peer to stop.
  T_ASC_Association* association = nullptr;
  T_ASC_PresentationContextID context = 0;
};

void OnMatch(void* data, T_DIMSE_C_FindRQ* request, int, T_DIMSE_C_FindRSP*,
             DcmDataset* match) {
  Matches& matches = *static_cast<Matches*>(data);
  if (match == nullptr) return;
  if (matches.seen >= kMaxMatches) {
    if (!matches.too_many) {
      DIMSE_sendCancelRequest(matches.association, matches.context,
                              request->MessageID);
    }
    matches.too_many = true;
    return;
  }
  ++matches.seen;
  std::vector<std::string> row;
  for (const DcmTagKey& tag : matches.tags) row.push_back(Value(*match, tag));
  if (matches.wanted == nullptr || matches.wanted(row)) {
    matches.rows.push_back(std::move(row));
  }
}

}  // namespace

struct DicomPeer::State {
  Options options;
  T_ASC_Network* network = nullptr;
  T_ASC_Association* association = nullptr;
  bool broken = false;

  ~State() {
    if (association != nullptr) {
      if (broken) {
        ASC_abortAssociation(association);
      } else {
        ASC_releaseAssociation(association);
      }
      ASC_destroyAssociation(&association);
    }
    if (network != nullptr) ASC_dropNetwork(&network);
  }

  std::string Where() const {
    return absl::StrCat(options.peer.ae_title, "@", options.peer.host, ":",
                        options.peer.port);
  }
  absl::Status Broken(absl::string_view what, const OFCondition& condition) {
    broken = true;
    return absl::UnavailableError(
        absl::StrCat(Where(), ": ", what, ": ", condition.text()));
  }
  absl::Status Refused(absl::string_view what, absl::string_view status) const {
    return absl::FailedPreconditionError(
        absl::StrCat(Where(), ": ", what, ": ", status));
  }

  absl::Status Connect();
  absl::StatusOr<T_ASC_PresentationContextID> ContextOf(const char* sop_class,
                                                        const char* what);
  absl::Status Find(DcmDataset identifier, Matches& matches);
  absl::Status FindStudies(const ImageQuery& query, Matches& studies);
  // Appends to `images`, like FindInSeries.
  absl::Status FindInStudy(const std::string& study,
                           const std::vector<std::string>& modalities,
                           std::vector<ImageKeys>& images);
  absl::Status FindInSeries(const std::string& study, const std::string& series,
                            std::vector<ImageKeys>& images);
  // Serves a sub-operation; `kept` gets the first error of storing an object.
  absl::Status ServeStore(T_ASC_PresentationContextID context,
                          const T_DIMSE_C_StoreRQ& request,
                          const std::string& incoming, IntakeChannel& intake,
                          absl::Status& kept);
  absl::Status ServeGet(const std::string& incoming, IntakeChannel& intake);
};

absl::StatusOr<PeerAddress> ParsePeerAddress(absl::string_view text) {
  const size_t at = text.find('@'), colon = text.rfind(':');
  PeerAddress peer;
  if (at == absl::string_view::npos || colon == absl::string_view::npos ||
      colon < at + 2 || !absl::SimpleAtoi(text.substr(colon + 1), &peer.port) ||
      peer.port < 1 || peer.port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text, "': a peer is AET@HOST:PORT"));
  }
  peer.ae_title = std::string(text.substr(0, at));
  peer.host = std::string(text.substr(at + 1, colon - at - 1));
  HILUM_RETURN_IF_ERROR(CheckAeTitle(peer.ae_title));
  return peer;
}

absl::Status DicomPeer::State::Connect() {
  dcmConnectionTimeout.set(kConnectSeconds);
  OFCondition condition =
      ASC_initializeNetwork(NET_REQUESTOR, 0, kConnectSeconds, &network);
  if (condition.good() && options.tls != nullptr) {
    condition = ASC_setTransportLayer(network, options.tls, 0);
  }
  T_ASC_Parameters* parameters = nullptr;
  if (condition.good()) {
    condition = ASC_createAssociationParameters(&parameters, kMaxPduBytes);
  }
  if (condition.bad()) return Broken("no network", condition);
  ASC_setAPTitles(parameters, options.ae_title.c_str(),
                  options.peer.ae_title.c_str(), nullptr);
  ASC_setPresentationAddresses(
      parameters, "localhost",
      absl::StrCat(options.peer.host, ":", options.peer.port).c_str());
  ASC_setTransportLayerType(parameters, options.tls != nullptr);
  const bool get = options.fetch == Fetch::kGet;
  HILUM_RETURN_IF_ERROR(
      ProposeContexts(parameters, {kFind, get ? kGet : kMove}, get));
  condition = ASC_requestAssociation(network, parameters, &association, nullptr,
                                     nullptr, DUL_NOBLOCK, kConnectSeconds);
  if (condition.good()) return absl::OkStatus();
  const std::string why = condition == DUL_ASSOCIATIONREJECTED
                              ? RejectionOf(parameters)
                              : condition.text();
  // Not connected, so there is nothing to release.
  if (association == nullptr) {
    ASC_destroyAssociationParameters(&parameters);
  } else {
    ASC_destroyAssociation(&association);
  }
  return absl::UnavailableError(absl::StrCat(Where(), ": ", why));
}

absl::StatusOr<T_ASC_PresentationContextID> DicomPeer::State::ContextOf(
    const char* sop_class, const char* what) {
  const auto id = ASC_findAcceptedPresentationContextID(association, sop_class);
  if (id != 0) return id;
  return Refused(what, "the peer does not accept it for this AE title");
}

absl::Status DicomPeer::State::Find(DcmDataset identifier, Matches& matches) {
  HILUM_ASSIGN_OR_RETURN(const auto context, ContextOf(kFind, "C-FIND"));
  T_DIMSE_C_FindRQ request = {};
  request.MessageID = association->nextMsgID++;
  std::strcpy(request.AffectedSOPClassUID, kFind);
  request.DataSetType = DIMSE_DATASET_PRESENT;
  request.Priority = DIMSE_PRIORITY_LOW;
  T_DIMSE_C_FindRSP response = {};
  matches.association = association;
  matches.context = context;
  DcmDataset* detail = nullptr;
  int count = 0;
  const OFCondition condition = DIMSE_findUser(
      association, context, &request, &identifier, count, OnMatch, &matches,
      DIMSE_NONBLOCKING, kAnswerSeconds, &response, &detail);
  delete detail;
  if (condition.bad()) return Broken("C-FIND", condition);
  if (matches.too_many) {
    return absl::ResourceExhaustedError(absl::StrCat(
        Where(), ": C-FIND: over ", kMaxMatches, " matches for one query"));
  }
  if (response.DimseStatus != STATUS_Success) {
    return Refused("C-FIND",
                   StatusText(response.DimseStatus,
                              DU_cfindStatusString(response.DimseStatus)));
  }
  return absl::OkStatus();
}

absl::Status DicomPeer::State::ServeStore(T_ASC_PresentationContextID context,
                                          const T_DIMSE_C_StoreRQ& request,
                                          const std::string& incoming,
                                          IntakeChannel& intake,
                                          absl::Status& kept) {
  auto object = ReceiveObject(association, context, request, incoming, intake);
  if (!object.ok()) {
    broken = true;
    return object.status();
  }
  if (object->status == kStoreOutOfResources) {
    kept.Update(absl::ResourceExhaustedError(object->comment));
  } else if (object->status != kStoreSuccess) {
    kept.Update(absl::FailedPreconditionError(object->comment));
  }
  return absl::OkStatus();
}

// Serves the sub-operations of a C-GET, which come in the same association, and
// reads its responses (PS3.4 C.4.3).
absl::Status DicomPeer::State::ServeGet(const std::string& incoming,
                                        IntakeChannel& intake) {
  absl::Status kept;
  for (;;) {
    T_DIMSE_Message message = {};
    T_ASC_PresentationContextID context = 0;
    const OFCondition condition =
        DIMSE_receiveCommand(association, DIMSE_NONBLOCKING, kAnswerSeconds,
                             &context, &message, nullptr);
    if (condition.bad()) return Broken("C-GET", condition);
    if (message.CommandField == DIMSE_C_STORE_RQ) {
      HILUM_RETURN_IF_ERROR(
          ServeStore(context, message.msg.CStoreRQ, incoming, intake, kept));
      continue;
    }
    if (message.CommandField != DIMSE_C_GET_RSP) {
      return Broken("C-GET", DIMSE_BADCOMMANDTYPE);
    }
    const T_DIMSE_C_GetRSP& response = message.msg.CGetRSP;
    if (response.DataSetType != DIMSE_DATASET_NULL) {
      DIC_UL bytes = 0, count = 0;
      const OFCondition skipped = DIMSE_ignoreDataSet(
          association, DIMSE_NONBLOCKING, kMessageSeconds, &bytes, &count);
      if (skipped.bad()) return Broken("C-GET", skipped);
    }
    if (DICOM_PENDING_STATUS(response.DimseStatus)) continue;
    HILUM_RETURN_IF_ERROR(kept);
    if (response.DimseStatus == STATUS_Success) return absl::OkStatus();
    return Refused("C-GET",
                   StatusText(response.DimseStatus,
                              DU_cgetStatusString(response.DimseStatus)));
  }
}

DicomPeer::DicomPeer(std::unique_ptr<State> state) : state_(std::move(state)) {}
DicomPeer::DicomPeer(DicomPeer&&) noexcept = default;
DicomPeer& DicomPeer::operator=(DicomPeer&&) noexcept = default;
DicomPeer::~DicomPeer() = default;

absl::StatusOr<DicomPeer> DicomPeer::Open(const Options& options) {
  auto state = std::make_unique<State>();
  state->options = options;
  HILUM_RETURN_IF_ERROR(state->Connect());
  return DicomPeer(std::move(state));
}

absl::Status DicomPeer::State::FindInSeries(const std::string& study,
                                            const std::string& series,
                                            std::vector<ImageKeys>& images) {
  Matches instances{{DCM_SOPInstanceUID}};
  HILUM_RETURN_IF_ERROR(
      Find(Identifier("IMAGE", {{DCM_StudyInstanceUID, study},
                                {DCM_SeriesInstanceUID, series},
                                {DCM_SOPInstanceUID, ""}}),
           instances));
  for (const std::vector<std::string>& row : instances.rows) {
    const std::string instance = ObjectUid(row[0]);
    if (!instance.empty()) images.push_back({study, series, instance});
  }
  return absl::OkStatus();
}

absl::Status DicomPeer::State::FindInStudy(
    const std::string& study, const std::vector<std::string>& modalities,
    std::vector<ImageKeys>& images) {
  Matches series{{DCM_SeriesInstanceUID, DCM_Modality}};
  HILUM_RETURN_IF_ERROR(
      Find(Identifier("SERIES", {{DCM_StudyInstanceUID, study},
                                 {DCM_Modality, ""},
                                 {DCM_SeriesInstanceUID, ""}}),
           series));
  for (const std::vector<std::string>& row : series.rows) {
    const std::string uid = ObjectUid(row[0]);
    const bool wanted =
        std::count(modalities.begin(), modalities.end(), row[1]) > 0;
    if (!wanted || uid.empty()) continue;
    HILUM_RETURN_IF_ERROR(FindInSeries(study, uid, images));
  }
  return absl::OkStatus();
}

absl::Status DicomPeer::State::FindStudies(const ImageQuery& query,
                                           Matches& studies) {
  const std::vector<std::pair<DcmTagKey, std::string>> asked = {
      {DCM_PatientID, query.patient}, {DCM_AccessionNumber, query.accession}};
  std::vector<std::pair<DcmTagKey, std::string>> keys = {
      {DCM_StudyDate, query.study_date}, {DCM_StudyInstanceUID, query.study}};
  for (const auto& key : asked) {
    if (!key.second.empty()) keys.push_back(key);
  }
  size_t other = 0;
  studies.tags = {DCM_StudyInstanceUID, DCM_StudyDate};
  for (const auto& key : asked) studies.tags.push_back(key.first);
  studies.wanted = [&](const std::vector<std::string>& row) {
    bool fits = true;
    for (size_t i = 0; i < asked.size(); ++i) {
      fits &= asked[i].second.empty() || asked[i].second == row[2 + i];
    }
    other += !fits;
    return fits && (!query.undated || row[1].empty());
  };
  HILUM_RETURN_IF_ERROR(Find(Identifier("STUDY", keys), studies));
  if (other == 0 || other < studies.seen) return absl::OkStatus();
  return Refused("C-FIND",
                 "it answers with studies of another Patient ID or Accession "
                 "Number, so it does not match by it");
}

absl::StatusOr<FoundImages> DicomPeer::FindImages(const ImageQuery& query) {
  FoundImages found;
  Matches studies;
  HILUM_RETURN_IF_ERROR(state_->FindStudies(query, studies));
  for (const std::vector<std::string>& row : studies.rows) {
    const std::string study = ObjectUid(row[0]);
    if (study.empty()) continue;
    const size_t before = found.images.size();
    HILUM_RETURN_IF_ERROR(
        state_->FindInStudy(study, query.modalities, found.images));
    found.studies += found.images.size() > before;
  }
  return found;
}

absl::Status DicomPeer::Get(const ImageKeys& image, const std::string& incoming,
                            IntakeChannel& intake) {
  HILUM_ASSIGN_OR_RETURN(const auto context, state_->ContextOf(kGet, "C-GET"));
  T_DIMSE_Message message = {};
  message.CommandField = DIMSE_C_GET_RQ;
  T_DIMSE_C_GetRQ& request = message.msg.CGetRQ;
  request.MessageID = state_->association->nextMsgID++;
  std::strcpy(request.AffectedSOPClassUID, kGet);
  request.DataSetType = DIMSE_DATASET_PRESENT;
  request.Priority = DIMSE_PRIORITY_LOW;
  DcmDataset identifier = ImageIdentifier(image);
  const OFCondition sent =
      DIMSE_sendMessageUsingMemoryData(state_->association, context, &message,
                                       nullptr, &identifier, nullptr, nullptr);
  if (sent.bad()) return state_->Broken("C-GET", sent);
  return state_->ServeGet(incoming, intake);
}

absl::Status DicomPeer::Move(const ImageKeys& image) {
  HILUM_ASSIGN_OR_RETURN(const auto context,
                         state_->ContextOf(kMove, "C-MOVE"));
  T_DIMSE_C_MoveRQ request = {};
  request.MessageID = state_->association->nextMsgID++;
  std::strcpy(request.AffectedSOPClassUID, kMove);
  request.DataSetType = DIMSE_DATASET_PRESENT;
  request.Priority = DIMSE_PRIORITY_LOW;
  std::strcpy(request.MoveDestination, state_->options.ae_title.c_str());
  T_DIMSE_C_MoveRSP response = {};
  DcmDataset *detail = nullptr, *failed = nullptr;
  DcmDataset identifier = ImageIdentifier(image);
  const OFCondition condition =
      DIMSE_moveUser(state_->association, context, &request, &identifier,
                     nullptr, nullptr, DIMSE_NONBLOCKING, kAnswerSeconds,
                     nullptr, nullptr, nullptr, &response, &detail, &failed);
  delete detail;
  delete failed;
  if (condition.bad()) return state_->Broken("C-MOVE", condition);
  if (response.DimseStatus == STATUS_Success) return absl::OkStatus();
  return state_->Refused(
      "C-MOVE", StatusText(response.DimseStatus,
                           DU_cmoveStatusString(response.DimseStatus)));
}

}  // namespace hilum
