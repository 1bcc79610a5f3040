// SPDX-License-Identifier: Apache-2.0
#include "tests/site_agent/ingest/network/dicom_fakes.h"

#include <arpa/inet.h>
#include <dcmtk/config/osconfig.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
// After its configuration.
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmnet/dimse.h>

#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace hilum {
namespace {

constexpr int kSeconds = 20;
constexpr long kPdu = 65536;
constexpr const char* kExplicit = UID_LittleEndianExplicitTransferSyntax;
constexpr const char* kFind = UID_FINDStudyRootQueryRetrieveInformationModel;
constexpr const char* kGet = UID_GETStudyRootQueryRetrieveInformationModel;
constexpr const char* kMove = UID_MOVEStudyRootQueryRetrieveInformationModel;

std::string Value(DcmItem& item, const DcmTagKey& tag) {
  OFString value;
  item.findAndGetOFStringArray(tag, value);
  return std::string(absl::StripAsciiWhitespace(value.c_str()));
}

// Makes the object for a C-STORE; it is no film.
DcmDataset SmallObject(const std::string& sop_class, const std::string& uid) {
  DcmDataset object;
  object.putAndInsertString(DCM_SOPClassUID, sop_class.c_str());
  object.putAndInsertString(DCM_SOPInstanceUID, uid.c_str());
  return object;
}

int SendObject(T_ASC_Association* association, int context,
               const std::string& sop_class, const std::string& uid) {
  DcmDataset object = SmallObject(sop_class, uid);
  T_DIMSE_C_StoreRQ request = {};
  T_DIMSE_C_StoreRSP response = {};
  request.MessageID = association->nextMsgID++;
  std::strcpy(request.AffectedSOPClassUID, sop_class.c_str());
  std::strcpy(request.AffectedSOPInstanceUID, uid.c_str());
  request.DataSetType = DIMSE_DATASET_PRESENT;
  DcmDataset* detail = nullptr;
  const OFCondition condition = DIMSE_storeUser(
      association, static_cast<T_ASC_PresentationContextID>(context), &request,
      nullptr, &object, nullptr, nullptr, DIMSE_NONBLOCKING, kSeconds,
      &response, &detail);
  delete detail;
  return condition.good() ? response.DimseStatus : -1;
}

// The archive's side of one association.
class PacsAssociation {
 public:
  PacsAssociation(const FakePacs::Options& options,
                  T_ASC_Association* association)
      : options_(options), association_(association) {}

  void Serve() {
    AcceptAll();
    if (ASC_acknowledgeAssociation(association_).bad()) return;
    T_DIMSE_Message message = {};
    T_ASC_PresentationContextID context = 0;
    for (;;) {
      const OFCondition condition =
          DIMSE_receiveCommand(association_, DIMSE_NONBLOCKING, kSeconds,
                               &context, &message, nullptr);
      if (condition == DUL_PEERREQUESTEDRELEASE) {
        ASC_acknowledgeRelease(association_);
      }
      if (condition.bad()) return;
      DcmDataset* received = nullptr;
      T_ASC_PresentationContextID data = 0;
      DIMSE_receiveDataSetInMemory(association_, DIMSE_NONBLOCKING, kSeconds,
                                   &data, &received, nullptr, nullptr);
      if (received == nullptr) return;
      Answer(message, context, *received);
      delete received;
    }
  }

 private:
  // Accepts every context in the proposed role.
  void AcceptAll() {
    T_ASC_PresentationContext context = {};
    for (int i = 0; i < ASC_countPresentationContexts(association_->params);
         ++i) {
      ASC_getPresentationContext(association_->params, i, &context);
      for (int k = 0; k < context.transferSyntaxCount; ++k) {
        if (std::strcmp(context.proposedTransferSyntaxes[k], kExplicit) != 0) {
          continue;
        }
        ASC_acceptPresentationContext(association_->params,
                                      context.presentationContextID, kExplicit,
                                      context.proposedRole);
      }
    }
  }

  void Answer(T_DIMSE_Message& message, T_ASC_PresentationContextID context,
              DcmDataset& keys) {
    if (message.CommandField == DIMSE_C_FIND_RQ) {
      Find(message.msg.CFindRQ, context, keys);
    } else if (message.CommandField == DIMSE_C_GET_RQ) {
      Get(message.msg.CGetRQ, context, keys);
    } else {
      Move(message.msg.CMoveRQ, context, keys);
    }
  }

  bool Fits(const PacsImage& image, DcmDataset& keys) const {
    const std::pair<DcmTagKey, const std::string*> all[] = {
        {DCM_StudyInstanceUID, &image.study},
        {DCM_StudyDate, &image.date},
        {DCM_PatientID, &image.patient},
        {DCM_AccessionNumber, &image.accession},
        {DCM_SeriesInstanceUID, &image.series},
        {DCM_SOPInstanceUID, &image.instance}};
    for (const auto& [tag, value] : all) {
      if (tag == DCM_AccessionNumber && !options_.matches_accession) continue;
      const std::string asked = Value(keys, tag);
      if (!asked.empty() && asked != *value) return false;
    }
    return true;
  }

  void Find(T_DIMSE_C_FindRQ& request, T_ASC_PresentationContextID context,
            DcmDataset& keys) {
    const std::string level = Value(keys, DCM_QueryRetrieveLevel);
    std::string last;
    for (const PacsImage& image : options_.images) {
      const std::string& own = level == "STUDY"    ? image.study
                               : level == "SERIES" ? image.series
                                                   : image.instance;
      if (!Fits(image, keys) || own == last) continue;
      last = own;
      DcmDataset match;
      match.putAndInsertString(DCM_StudyInstanceUID, image.study.c_str());
      match.putAndInsertString(DCM_StudyDate, image.date.c_str());
      match.putAndInsertString(DCM_PatientID, image.patient.c_str());
      match.putAndInsertString(DCM_AccessionNumber, image.accession.c_str());
      match.putAndInsertString(DCM_SeriesInstanceUID, image.series.c_str());
      match.putAndInsertString(DCM_Modality, image.modality.c_str());
      match.putAndInsertString(DCM_SOPInstanceUID, image.instance.c_str());
      SendFind(request, context, STATUS_Pending, &match);
    }
    SendFind(request, context, STATUS_Success, nullptr);
  }

  void SendFind(T_DIMSE_C_FindRQ& request, T_ASC_PresentationContextID context,
                DIC_US status, DcmDataset* match) {
    T_DIMSE_C_FindRSP response = {};
    response.DimseStatus = status;
    response.MessageIDBeingRespondedTo = request.MessageID;
    response.DataSetType =
        match == nullptr ? DIMSE_DATASET_NULL : DIMSE_DATASET_PRESENT;
    std::strcpy(response.AffectedSOPClassUID, kFind);
    DIMSE_sendFindResponse(association_, context, &request, &response, match,
                           nullptr);
  }

  void Get(const T_DIMSE_C_GetRQ& request, T_ASC_PresentationContextID context,
           DcmDataset& keys) {
    bool stored = true;
    for (const PacsImage& image : options_.images) {
      if (!options_.sends || !Fits(image, keys)) continue;
      stored &= SendObject(association_,
                           ASC_findAcceptedPresentationContextID(
                               association_, kComputedRadiography),
                           kComputedRadiography, image.instance) == 0;
    }
    T_DIMSE_Message message = {};
    message.CommandField = DIMSE_C_GET_RSP;
    T_DIMSE_C_GetRSP& response = message.msg.CGetRSP;
    response.MessageIDBeingRespondedTo = request.MessageID;
    response.DataSetType = DIMSE_DATASET_NULL;
    response.DimseStatus = stored ? STATUS_Success : 0xa702;
    std::strcpy(response.AffectedSOPClassUID, kGet);
    response.opts = O_GET_AFFECTEDSOPCLASSUID;
    DIMSE_sendMessageUsingMemoryData(association_, context, &message, nullptr,
                                     nullptr, nullptr, nullptr);
  }

  void Move(T_DIMSE_C_MoveRQ& request, T_ASC_PresentationContextID context,
            DcmDataset& keys) {
    bool stored = true;
    for (const PacsImage& image : options_.images) {
      if (!options_.sends || !Fits(image, keys)) continue;
      Scu scu(options_.move_port,
              {options_.move_title, request.MoveDestination},
              {kComputedRadiography});
      stored &= scu.refusal().empty() &&
                scu.Store(kComputedRadiography, image.instance) == 0;
      scu.Release();
    }
    T_DIMSE_C_MoveRSP response = {};
    response.MessageIDBeingRespondedTo = request.MessageID;
    response.DataSetType = DIMSE_DATASET_NULL;
    response.DimseStatus = stored ? STATUS_Success : 0xa702;
    std::strcpy(response.AffectedSOPClassUID, kMove);
    DIMSE_sendMoveResponse(association_, context, &request, &response, nullptr,
                           nullptr);
  }

  const FakePacs::Options& options_;
  T_ASC_Association* association_;
};

[[noreturn]] void RunPacs(const FakePacs::Options& options, int listening) {
  signal(SIGPIPE, SIG_IGN);
  for (;;) {
    const int fd = accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    dcmDisableGethostbyaddr.set(OFTrue);
    dcmExternalSocketHandle.set(fd);
    T_ASC_Network* network = nullptr;
    T_ASC_Association* association = nullptr;
    if (ASC_initializeNetwork(NET_ACCEPTOR, 0, kSeconds, &network).good() &&
        ASC_receiveAssociation(network, &association, kPdu, nullptr, nullptr,
                               OFFalse, DUL_NOBLOCK, kSeconds)
            .good()) {
      dcmExternalSocketHandle.set(DCMNET_INVALID_SOCKET);
      PacsAssociation(options, association).Serve();
    }
    ASC_dropSCPAssociation(association);
    ASC_destroyAssociation(&association);
    ASC_dropNetwork(&network);
  }
}

}  // namespace

ScopedFd ListenOnLoopback(int& port) {
  ScopedFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in name = {};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof name;
  auto* generic = reinterpret_cast<sockaddr*>(&name);
  EXPECT_EQ(bind(fd.get(), generic, size), 0);
  EXPECT_EQ(listen(fd.get(), 16), 0);
  EXPECT_EQ(getsockname(fd.get(), generic, &size), 0);
  port = ntohs(name.sin_port);
  return fd;
}

FakeIntake::FakeIntake(std::string answer)
    : answer_(std::move(answer)), channel_(ScopedFd()) {
  auto sockets = MakeIntakeSockets();
  EXPECT_TRUE(sockets.ok()) << sockets.status();
  channel_ = IntakeChannel(std::move(sockets->first));
  other_ = std::move(sockets->second);
  if (answer_.empty()) {
    other_.Close();
  } else {
    thread_ = std::thread([this] { Run(); });
  }
}

FakeIntake::~FakeIntake() {
  channel_ = IntakeChannel(ScopedFd());
  if (other_.get() >= 0) shutdown(other_.get(), SHUT_RDWR);
  if (thread_.joinable()) thread_.join();
}

std::vector<std::string> FakeIntake::taken() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return taken_;
}

void FakeIntake::Run() {
  for (;;) {
    auto message = ReceiveIntakeMessage(other_.get());
    if (!message.ok() || message->text.empty()) return;
    absl::string_view text = message->text;
    const bool take = absl::ConsumePrefix(&text, "take ");
    if (take) {
      const std::lock_guard<std::mutex> lock(mutex_);
      taken_.emplace_back(text);
    }
    const std::string answer = take ? answer_ : "no";
    if (!SendIntakeMessage(other_.get(), answer).ok()) return;
  }
}

Scu::Scu(int port, const Titles& titles,
         const std::vector<std::string>& sop_classes) {
  EXPECT_TRUE(
      ASC_initializeNetwork(NET_REQUESTOR, 0, kSeconds, &network_).good());
  T_ASC_Parameters* parameters = nullptr;
  ASC_createAssociationParameters(&parameters, kPdu);
  ASC_setAPTitles(parameters, titles.calling.c_str(), titles.called.c_str(),
                  nullptr);
  ASC_setPresentationAddresses(parameters, "localhost",
                               absl::StrCat("127.0.0.1:", port).c_str());
  const char* syntaxes[] = {kExplicit};
  for (size_t i = 0; i < sop_classes.size(); ++i) {
    ASC_addPresentationContext(
        parameters, static_cast<T_ASC_PresentationContextID>(2 * i + 1),
        sop_classes[i].c_str(), syntaxes, 1);
  }
  const OFCondition condition =
      ASC_requestAssociation(network_, parameters, &association_, nullptr,
                             nullptr, DUL_NOBLOCK, kSeconds);
  if (condition.good()) return;
  refusal_ = condition.text();
  if (condition == DUL_ASSOCIATIONREJECTED) {
    T_ASC_RejectParameters reject = {};
    ASC_getRejectParameters(parameters, &reject);
    OFString text;
    ASC_printRejectParameters(text, &reject);
    refusal_ = text.c_str();
  }
}

Scu::~Scu() {
  if (association_ != nullptr) {
    if (refusal_.empty()) ASC_abortAssociation(association_);
    ASC_destroyAssociation(&association_);
  }
  ASC_dropNetwork(&network_);
}

void Scu::Release() {
  if (association_ == nullptr || !refusal_.empty()) return;
  ASC_releaseAssociation(association_);
  ASC_destroyAssociation(&association_);
}

bool Scu::Accepts(const std::string& sop_class) const {
  return refusal_.empty() && ASC_findAcceptedPresentationContextID(
                                 association_, sop_class.c_str()) != 0;
}

bool Scu::Echo() {
  DIC_US status = 0xffff;
  DcmDataset* detail = nullptr;
  const OFCondition condition =
      DIMSE_echoUser(association_, association_->nextMsgID++, DIMSE_NONBLOCKING,
                     kSeconds, &status, &detail);
  delete detail;
  return condition.good() && status == STATUS_Success;
}

int Scu::Store(const std::string& sop_class, const std::string& uid,
               const std::string& in_context) {
  const std::string& context = in_context.empty() ? sop_class : in_context;
  return SendObject(
      association_,
      ASC_findAcceptedPresentationContextID(association_, context.c_str()),
      sop_class, uid);
}

FakePacs::FakePacs(const Options& options) {
  ScopedFd listening = ListenOnLoopback(port_);
  pid_ = fork();
  EXPECT_GE(pid_, 0);
  if (pid_ != 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  RunPacs(options, listening.get());
}

FakePacs::~FakePacs() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

}  // namespace hilum
