// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/network/tls_layer.h"

#include <dcmtk/config/osconfig.h>
// After its configuration.
#include <dcmtk/dcmtls/tlslayer.h>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/private_file.h"
#include "common/base/status_macros.h"
#include "common/cli/usage.h"
#include "common/crypto/tls_tickets.h"

namespace hilum {
namespace {

absl::Status StatusOf(const OFCondition& condition, const std::string& what) {
  if (condition.good()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(what, ": ", condition.text()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<DcmTransportLayer>> MakeTlsLayer(
    const TlsFiles& files, bool server) {
  if (!files.any()) return nullptr;
  if (files.certificate.empty() || files.key.empty() ||
      files.authority.empty()) {
    return UsageError(
        "--tls-cert, --tls-key and --tls-ca are given together or not at all");
  }
  if (FileExists(files.key)) {
    HILUM_RETURN_IF_ERROR(CheckPrivateFile(files.key, "the private key"));
  }
  DcmTLSTransportLayer::initializeOpenSSL();
  GiveNoTlsTickets();
  auto layer = std::make_unique<DcmTLSTransportLayer>(
      server ? NET_ACCEPTOR : NET_REQUESTOR, nullptr, OFFalse);
  if (!*layer) return absl::InvalidArgumentError("no TLS in this OpenSSL");
  HILUM_RETURN_IF_ERROR(
      StatusOf(layer->setPrivateKeyFile(files.key.c_str(), DCF_Filetype_PEM),
               files.key));
  HILUM_RETURN_IF_ERROR(StatusOf(
      layer->setCertificateFile(files.certificate.c_str(), DCF_Filetype_PEM),
      files.certificate));
  HILUM_RETURN_IF_ERROR(StatusOf(layer->addTrustedCertificateFile(
                                     files.authority.c_str(), DCF_Filetype_PEM),
                                 files.authority));
  if (!layer->checkPrivateKeyMatchesCertificate()) {
    return absl::InvalidArgumentError(
        absl::StrCat(files.key, ": not the key of ", files.certificate));
  }
  HILUM_RETURN_IF_ERROR(
      StatusOf(layer->setTLSProfile(TSP_Profile_BCP195_ND), "TLS profile"));
  HILUM_RETURN_IF_ERROR(
      StatusOf(layer->activateCipherSuites(), "TLS cipher suites"));
  layer->setCertificateVerification(DCV_requireCertificate);
  return layer;
}

}  // namespace hilum
