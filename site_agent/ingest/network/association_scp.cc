// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/network/association_scp.h"

#include <arpa/inet.h>
#include <dcmtk/config/osconfig.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
// After its configuration.
#include <dcmtk/dcmnet/dimse.h>

#include <algorithm>
#include <ostream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/cli/usage.h"
#include "site_agent/ingest/network/receive_object.h"
#include "site_agent/ingest/network/storage_contexts.h"

namespace hilum {
namespace {

constexpr long kMaxPduBytes = 65536;
constexpr int kAssociationSeconds = 10;  // to negotiate
constexpr int kIdleSeconds = 300;        // between two messages
constexpr uint32_t kLoopbackNet = 127;

bool IsLoopback(uint32_t address) {
  return ntohl(address) >> 24 == kLoopbackNet;
}

// Returns a peer's title in a form fit for a log.
std::string Shown(absl::string_view title) {
  std::string out(absl::StripAsciiWhitespace(title));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return !absl::ascii_isprint(c); },
      '?');
  return out;
}

class Association {
 public:
  Association(const ScpOptions& options, IntakeChannel& intake,
              const volatile std::sig_atomic_t& stop, std::ostream& log)
      : options_(options), intake_(intake), stop_(stop), log_(log) {}
  ~Association() {
    if (association_ != nullptr) {
      ASC_dropSCPAssociation(association_);
      ASC_destroyAssociation(&association_);
    }
    if (network_ != nullptr) ASC_dropNetwork(&network_);
  }

  void Serve(ScopedFd connection) {
    address_ = AddressOfPeer(connection.get());
    // Ends a peer that sends its request byte by byte.
    alarm(kAssociationSeconds);
    dcmDisableGethostbyaddr.set(OFTrue);
    dcmExternalSocketHandle.set(connection.Release());
    OFCondition condition =
        ASC_initializeNetwork(NET_ACCEPTOR, 0, kAssociationSeconds, &network_);
    if (condition.good() && options_.tls != nullptr) {
      condition = ASC_setTransportLayer(network_, options_.tls, 0);
    }
    if (condition.good()) {
      condition = ASC_receiveAssociation(
          network_, &association_, kMaxPduBytes, nullptr, nullptr,
          options_.tls != nullptr, DUL_NOBLOCK, kAssociationSeconds);
    }
    if (condition.bad()) return Warn("no association: ", condition.text());
    if (!Negotiate()) return;
    alarm(0);
    while (ServeMessage()) {
    }
    Say("ended", absl::StrCat(": ", taken_, " taken, ", refused_,
                              " refused as no chest radiograph, ", failed_,
                              " not taken"));
  }

 private:
  void Warn(absl::string_view what, absl::string_view more = "") {
    log_ << "warning: ";
    Say(what, more);
  }

  void Say(absl::string_view what, absl::string_view more = "") {
    log_ << absl::StrCat(title_, title_.empty() ? "" : "@", PeerText(address_),
                         ": ", what, more)
         << std::endl;
  }

  bool MayCall(absl::string_view title) const {
    if (options_.allowed.empty()) return MayConnect(options_, address_);
    for (const AllowedPeer& peer : options_.allowed) {
      if (peer.ae_title != title) continue;
      if (peer.addresses.empty() ||
          std::count(peer.addresses.begin(), peer.addresses.end(), address_)) {
        return true;
      }
    }
    return false;
  }

  bool Reject(T_ASC_RejectParametersReason reason, absl::string_view why) {
    const T_ASC_RejectParameters parameters = {ASC_RESULT_REJECTEDPERMANENT,
                                               ASC_SOURCE_SERVICEUSER, reason};
    ASC_rejectAssociation(association_, &parameters);
    Warn("rejected: ", why);
    return false;
  }

  bool Negotiate() {
    char calling[80] = "", called[80] = "", context[80] = "";
    ASC_getAPTitles(association_->params, calling, sizeof calling, called,
                    sizeof called, nullptr, 0);
    ASC_getApplicationContextName(association_->params, context,
                                  sizeof context);
    title_ = Shown(calling);
    if (std::string(context) != UID_StandardApplicationContext) {
      return Reject(ASC_REASON_SU_APPCONTEXTNAMENOTSUPPORTED,
                    "another application context");
    }
    if (Shown(called) != options_.ae_title) {
      return Reject(ASC_REASON_SU_CALLEDAETITLENOTRECOGNIZED,
                    absl::StrCat("it calls ", Shown(called), ", this is ",
                                 options_.ae_title));
    }
    if (!MayCall(title_)) {
      return Reject(ASC_REASON_SU_CALLINGAETITLENOTRECOGNIZED,
                    absl::StrCat("no --allow names it; if it may send, give "
                                 "--allow ",
                                 title_, "@", PeerText(address_)));
    }
    const absl::Status accepted = AcceptContexts(association_->params);
    if (!accepted.ok() || ASC_acknowledgeAssociation(association_).bad()) {
      Warn("no association: ", accepted.message());
      return false;
    }
    return true;
  }

  // Returns false if the association has ended.
  bool ServeMessage() {
    for (int waited = 0; !ASC_dataWaiting(association_, 1); ++waited) {
      if (stop_ == 0 && waited < kIdleSeconds) continue;
      return Abort(stop_ != 0 ? "this program ends" : "silent for too long");
    }
    T_DIMSE_Message message = {};
    T_ASC_PresentationContextID context = 0;
    const OFCondition condition =
        DIMSE_receiveCommand(association_, DIMSE_NONBLOCKING, kMessageSeconds,
                             &context, &message, nullptr);
    if (condition == DUL_PEERREQUESTEDRELEASE) {
      ASC_acknowledgeRelease(association_);
      return false;
    }
    if (condition == DUL_PEERABORTEDASSOCIATION) {
      Warn("the peer aborted");
      return false;
    }
    if (condition.bad()) return Abort(condition.text());
    switch (message.CommandField) {
      case DIMSE_C_ECHO_RQ:
        return DIMSE_sendEchoResponse(association_, context,
                                      &message.msg.CEchoRQ, STATUS_Success,
                                      nullptr)
            .good();
      case DIMSE_C_STORE_RQ:
        return ServeStore(context, message.msg.CStoreRQ);
      default:
        return Abort("a command that is not served here");
    }
  }

  bool ServeStore(T_ASC_PresentationContextID context,
                  const T_DIMSE_C_StoreRQ& request) {
    auto received = ReceiveObject(association_, context, request,
                                  options_.incoming, intake_);
    if (!received.ok()) return Abort(received.status().message());
    if (received->status == kStoreSuccess) {
      ++(received->refused ? refused_ : taken_);
    } else {
      ++failed_;
      Warn("an object was not taken: ", received->comment);
    }
    return true;
  }

  bool Abort(absl::string_view why) {
    Warn("aborted: ", why);
    ASC_abortAssociation(association_);
    return false;
  }

  const ScpOptions& options_;
  IntakeChannel& intake_;
  const volatile std::sig_atomic_t& stop_;
  std::ostream& log_;
  T_ASC_Network* network_ = nullptr;
  T_ASC_Association* association_ = nullptr;
  uint32_t address_ = 0;
  std::string title_;
  int taken_ = 0, refused_ = 0, failed_ = 0;
};

}  // namespace

uint32_t AddressOfPeer(int connection) {
  sockaddr_in peer = {};
  socklen_t size = sizeof peer;
  if (getpeername(connection, reinterpret_cast<sockaddr*>(&peer), &size) != 0) {
    return 0;
  }
  return peer.sin_addr.s_addr;
}

std::string PeerText(uint32_t address) {
  const in_addr in = {address};
  char text[INET_ADDRSTRLEN] = "";
  inet_ntop(AF_INET, &in, text, sizeof text);
  return text;
}

bool IsLoopbackAddress(const std::string& text) {
  in_addr in = {};
  return inet_pton(AF_INET, text.c_str(), &in) == 1 && IsLoopback(in.s_addr);
}

bool MayConnect(const ScpOptions& options, uint32_t address) {
  if (options.allowed.empty()) {
    return options.tls != nullptr || IsLoopback(address);
  }
  return std::any_of(options.allowed.begin(), options.allowed.end(),
                     [address](const AllowedPeer& peer) {
                       return peer.addresses.empty() ||
                              std::count(peer.addresses.begin(),
                                         peer.addresses.end(), address) > 0;
                     });
}

absl::Status CheckAeTitle(absl::string_view title) {
  const bool printable = std::all_of(title.begin(), title.end(), [](char c) {
    return absl::ascii_isprint(c) && c != '\\';
  });
  if (printable && !title.empty() && title.size() <= 16 &&
      title == absl::StripAsciiWhitespace(title)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", title, "' is no AE title: 1 to 16 characters"));
}

absl::StatusOr<AllowedPeer> ParseAllowedPeer(absl::string_view text) {
  const size_t at = text.find('@');
  AllowedPeer peer{.ae_title = std::string(text.substr(0, at))};
  HILUM_RETURN_IF_ERROR(CheckAeTitle(peer.ae_title));
  if (at == absl::string_view::npos) return peer;
  const std::string host(text.substr(at + 1));
  addrinfo hints = {}, *found = nullptr;
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error != 0) {
    return UsageError(
        absl::StrCat("--allow ", text, ": ", gai_strerror(error)));
  }
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    peer.addresses.push_back(
        reinterpret_cast<const sockaddr_in*>(one->ai_addr)->sin_addr.s_addr);
  }
  freeaddrinfo(found);
  return peer;
}

void ServeAssociation(ScopedFd connection, const ScpOptions& options,
                      IntakeChannel& intake,
                      const volatile std::sig_atomic_t& stop,
                      std::ostream& log) {
  Association(options, intake, stop, log).Serve(std::move(connection));
}

}  // namespace hilum
