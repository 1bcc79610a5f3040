// SPDX-License-Identifier: Apache-2.0
#include "common/rpc/connection_fault_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/printable.h"

namespace hilum {
namespace {

using Fault = ConnectionFault;

constexpr size_t kShown = 200;  // bytes of a peer's names

std::string Day(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d", time, absl::UTCTimeZone());
}

// Returns the names in the certificate that the peer showed.
std::string Shown(const ConnectionFacts& facts) {
  if (!facts.peer.certificate.has_value()) return "a certificate";
  const CertificateInfo& shown = *facts.peer.certificate;
  return absl::StrCat("the certificate '", Printable(shown.subject, kShown),
                      "', signed by '", Printable(shown.issuer, kShown), "'");
}

std::string ProxyName(const Proxy& proxy) {
  return absl::StrCat(proxy.at.host, ":", proxy.at.port, " (environment ",
                      "variable ", proxy.variable, ")");
}

// Says how to connect without the proxy.
std::string WithoutProxy(const ConnectionFacts& facts) {
  return absl::StrCat("set no_proxy=", facts.host, " to connect without it");
}

std::string ProxyText(const ConnectionFacts& facts) {
  return absl::StrCat("the proxy ", ProxyName(*facts.proxy),
                      " does not make the connection: ", facts.detail,
                      "; mend ", facts.proxy->variable, ", have the proxy ",
                      "allow CONNECT to ", facts.target, ", or ",
                      WithoutProxy(facts));
}

// Describes faults below TLS.
std::string NetworkText(const ConnectionFacts& facts, Fault fault) {
  switch (fault) {
    case Fault::kNoAddress:
      return absl::StrCat("no address is known of ", facts.host, " (",
                          facts.detail,
                          "); check `coordinator` in the site's "
                          "configuration, and this machine's DNS");
    case Fault::kRefused:
      return "connection refused: the machine is there, but nothing listens on "
             "this port; check the port of `coordinator`, and ask whether "
             "hilum-coordinator runs";
    case Fault::kDropped:
      return absl::StrCat("no answer to a TCP connection within ",
                          absl::FormatDuration(facts.patience),
                          ": a firewall drops the packets, or no machine has "
                          "this address; have TCP to ",
                          facts.target, " allowed from this machine");
    default:
      return absl::StrCat("this machine has no way there (", facts.detail,
                          "); check its network and its routes");
  }
}

std::string OtherAuthorityText(const ConnectionFacts& facts) {
  return absl::StrCat(
      "it shows ", Shown(facts), ", which is not of this consortium (",
      facts.detail, "). If a device in between inspects TLS, have ",
      facts.target,
      " exempted from it; else another service answers there, or "
      "tls.authority is another consortium's");
}

std::string OtherNameText(const ConnectionFacts& facts) {
  const std::string hosts =
      facts.peer.certificate.has_value()
          ? Printable(absl::StrJoin(facts.peer.certificate->hosts, ", "),
                      kShown)
          : "";
  return absl::StrCat("the coordinator's certificate is for ", hosts,
                      " and not for ", facts.host,
                      "; give one of its names as `coordinator`, or have a "
                      "certificate made for ",
                      facts.host, " (hilum-certs site --coordinator --host ",
                      facts.host, ")");
}

std::string DateText(const ConnectionFacts& facts, bool expired) {
  absl::Time limit = absl::UnixEpoch();
  if (facts.peer.certificate.has_value()) {
    limit = expired ? facts.peer.certificate->not_after
                    : facts.peer.certificate->not_before;
  }
  return absl::StrCat(
      "the coordinator's certificate, or its authority's, ",
      expired ? "has expired (" : "is not valid yet (",
      expired ? "valid until " : "valid from ", Day(limit),
      "); the coordinator's people must have a new one signed, unless this "
      "machine's clock is wrong");
}

// Describes faults of the handshake.
std::string TlsText(const ConnectionFacts& facts, Fault fault) {
  switch (fault) {
    case Fault::kNotTls:
      return absl::StrCat(
          "what answers there does not speak TLS",
          facts.peer.answer.empty()
              ? ""
              : absl::StrCat(" (it says '", facts.peer.answer, "')"),
          ", such as a web server with plain HTTP; check the port of "
          "`coordinator`");
    case Fault::kOldTls:
      return absl::StrCat(
          "what answers there speaks TLS 1.2 or older, and the coordinator "
          "speaks TLS 1.3: it is another service, or a device in between that "
          "ends the connection; check `coordinator`, or have ",
          facts.target, " passed through");
    case Fault::kOtherAuthority:
      return OtherAuthorityText(facts);
    case Fault::kOtherName:
      return OtherNameText(facts);
    case Fault::kExpired:
      return DateText(facts, true);
    case Fault::kNotYetValid:
      return DateText(facts, false);
    case Fault::kTurnedAway:
      return absl::StrCat(
          "the coordinator turns this site's certificate away (", facts.detail,
          "); is tls.certificate of the coordinator's "
          "consortium, and still valid?");
    case Fault::kClosed:
      return "the connection is made and ended again before TLS begins: by a "
             "device in between, or by a coordinator that has too many "
             "connections; try again, then ask the coordinator's people";
    default:
      return absl::StrCat("the connection is made, but nothing is said in ",
                          absl::FormatDuration(facts.patience),
                          ": another service listens there, or a device in "
                          "between holds the connection; check `coordinator`");
  }
}

// Returns the note on a proxy variable for all other faults.
std::string ProxyNote(const ConnectionFacts& facts, Fault fault) {
  if (!facts.proxy.has_value() || fault == Fault::kProxy) return "";
  if (facts.proxy->at.host.empty()) {
    return absl::StrCat("; the environment variable ", facts.proxy->variable,
                        " is not used, since it is not http://HOST:PORT");
  }
  return absl::StrCat("; the connection goes through the proxy ",
                      ProxyName(*facts.proxy), "; ", WithoutProxy(facts));
}

}  // namespace

std::string ConnectionFaultText(const ConnectionFacts& facts, Fault fault) {
  std::string text;
  switch (fault) {
    case Fault::kNone:
    case Fault::kStopped:
      return "";
    case Fault::kProxy:
      text = ProxyText(facts);
      break;
    case Fault::kNoAddress:
    case Fault::kRefused:
    case Fault::kUnreachable:
    case Fault::kDropped:
      text = NetworkText(facts, fault);
      break;
    default:
      text = TlsText(facts, fault);
  }
  return absl::StrCat(text, ProxyNote(facts, fault));
}

}  // namespace hilum
