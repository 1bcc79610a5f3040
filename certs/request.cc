// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "certs/authority.h"
#include "certs/x509_parts.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/crypto/certificate.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

constexpr size_t kMaxRequestBytes = 16 << 10;
constexpr int kMaxNames = 33;  // 32 hosts and the bearer's name

using UniqueNames =
    std::unique_ptr<GENERAL_NAMES, OpenSslFree<GENERAL_NAMES_free>>;
using UniqueExtension =
    std::unique_ptr<X509_EXTENSION, OpenSslFree<X509_EXTENSION_free>>;

struct FreeExtensions {
  void operator()(STACK_OF(X509_EXTENSION) * extensions) const {
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  }
};
using UniqueExtensions =
    std::unique_ptr<STACK_OF(X509_EXTENSION), FreeExtensions>;

bool IsAddress(const std::string& host) {
  unsigned char bytes[16];
  if (absl::StrContains(host, '\0')) return false;  // hides text
  return inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

bool IsDnsName(const std::string& host) {
  return !host.empty() && host.size() <= 253 &&
         absl::ascii_isalnum(static_cast<unsigned char>(host[0])) &&
         std::all_of(host.begin(), host.end(), [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == '.' || c == '-';
         });
}

std::string Text(const ASN1_STRING* text) {
  return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                     static_cast<size_t>(ASN1_STRING_length(text)));
}

absl::StatusOr<std::string> HostOf(const GENERAL_NAME& name) {
  if (name.type == GEN_DNS) return Text(name.d.dNSName);
  const std::string raw = name.type == GEN_IPADD ? Text(name.d.iPAddress) : "";
  char text[INET6_ADDRSTRLEN];
  if ((raw.size() != 4 && raw.size() != 16) ||
      inet_ntop(raw.size() == 4 ? AF_INET : AF_INET6, raw.data(), text,
                sizeof(text)) == nullptr) {
    return absl::InvalidArgumentError(
        "the request asks for a name that is no URI, host or address");
  }
  return std::string(text);
}

absl::StatusOr<RequestedName> NamesOf(X509_REQ* request) {
  const UniqueExtensions extensions(X509_REQ_get_extensions(request));
  const UniqueNames names(static_cast<GENERAL_NAMES*>(X509V3_get_d2i(
      extensions.get(), NID_subject_alt_name, nullptr, nullptr)));
  if (sk_X509_EXTENSION_num(extensions.get()) > 1) {
    return absl::InvalidArgumentError(
        "the request asks for more than names; make it with hilum-certs site");
  }
  if (names && sk_GENERAL_NAME_num(names.get()) > kMaxNames) {
    return absl::InvalidArgumentError(
        absl::StrCat("the request asks for over ", kMaxNames, " names"));
  }
  RequestedName requested;
  int uris = 0;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME& name = *sk_GENERAL_NAME_value(names.get(), i);
    if (name.type != GEN_URI) {
      HILUM_ASSIGN_OR_RETURN(std::string host, HostOf(name));
      requested.hosts.push_back(host);
      continue;
    }
    HILUM_ASSIGN_OR_RETURN(
        BearerName bearer,
        ParseBearerUri(Text(name.d.uniformResourceIdentifier)));
    if (bearer.consortium != kRequested) {
      return absl::InvalidArgumentError(
          absl::StrCat("the request asks for a name in consortium '",
                       bearer.consortium, "', which only its authority gives"));
    }
    requested.site = bearer.site;
    ++uris;
  }
  if (uris != 1) {
    return absl::InvalidArgumentError(
        "the request has no name of ours; make it with hilum-certs site");
  }
  return requested;
}

// Checks the subject: other programs show it, so it may not have another name.
absl::Status CheckSubject(const X509_REQ* request, const RequestedName& name) {
  const X509_NAME* subject = X509_REQ_get_subject_name(request);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (X509_NAME_entry_count(subject) == 1 && at == 0 &&
      Text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))) ==
          (name.site.empty() ? "coordinator" : name.site)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      "the request's subject is not the name it asks for; make it with "
      "hilum-certs site");
}

absl::Status FillRequest(X509_REQ* request, EVP_PKEY* key,
                         const RequestedName& name) {
  HILUM_ASSIGN_OR_RETURN(std::string names, AlternativeNames(kRequested, name));
  const std::string common_name = name.site.empty() ? "coordinator" : name.site;
  X509_NAME* subject = X509_REQ_get_subject_name(request);
  UniqueExtensions extensions(sk_X509_EXTENSION_new_null());
  UniqueExtension alternative(X509V3_EXT_conf_nid(
      nullptr, nullptr, NID_subject_alt_name, names.c_str()));
  if (alternative == nullptr ||
      sk_X509_EXTENSION_push(extensions.get(), alternative.get()) == 0) {
    return OpenSslError("cannot write the request's names");
  }
  (void)alternative.release();  // the stack owns it now
  if (X509_NAME_add_entry_by_txt(
          subject, "CN", MBSTRING_UTF8,
          reinterpret_cast<const unsigned char*>(common_name.data()),
          static_cast<int>(common_name.size()), -1, 0) != 1 ||
      X509_REQ_add_extensions(request, extensions.get()) != 1 ||
      X509_REQ_set_pubkey(request, key) != 1 ||
      X509_REQ_sign(request, key, EVP_sha256()) <= 0) {
    return OpenSslError("cannot make the request");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status OpenSslError(absl::string_view what) {
  char reason[256];
  ERR_error_string_n(ERR_get_error(), reason, sizeof(reason));
  ERR_clear_error();
  return absl::InternalError(absl::StrCat(what, ": ", reason));
}

UniqueKey MakeKey() { return UniqueKey(EVP_EC_gen("P-256")); }

absl::StatusOr<std::string> KeyPem(EVP_PKEY* key) {
  UniqueBio bio(BIO_new(BIO_s_secmem()));
  if (bio == nullptr ||
      PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0,
                                    nullptr, nullptr) != 1) {
    return OpenSslError("cannot write the key");
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

absl::StatusOr<std::string> AlternativeNames(absl::string_view consortium,
                                             const RequestedName& name) {
  if (!IsValidName(consortium) ||
      (!name.site.empty() && !IsValidName(name.site))) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", absl::CHexEscape(name.site), "' in '", consortium,
                     "': names have a-z, 0-9 and -, at most 63 characters"));
  }
  if (name.site == "coordinator") {
    return absl::InvalidArgumentError(
        "no site is called 'coordinator'; choose another name, or give "
        "--coordinator");
  }
  if (name.site.empty() == name.hosts.empty()) {
    return absl::InvalidArgumentError(
        "hosts are for the coordinator, which needs at least one, and for "
        "no site");
  }
  std::string names = absl::StrCat(
      "URI:",
      BearerUri({.consortium = std::string(consortium), .site = name.site}));
  for (const std::string& host : name.hosts) {
    if (!IsAddress(host) && !IsDnsName(host)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "'", absl::CHexEscape(host), "' is no host name and no address"));
    }
    absl::StrAppend(&names, IsAddress(host) ? ",IP:" : ",DNS:", host);
  }
  return names;
}

absl::StatusOr<Request> MakeRequest(const RequestedName& name) {
  UniqueKey key = MakeKey();
  UniqueRequest request(X509_REQ_new());
  if (key == nullptr || request == nullptr) {
    return OpenSslError("cannot make a key");
  }
  HILUM_RETURN_IF_ERROR(FillRequest(request.get(), key.get(), name));
  Request made;
  HILUM_ASSIGN_OR_RETURN(made.private_key_pem, KeyPem(key.get()));
  UniqueBio bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509_REQ(bio.get(), request.get()) != 1) {
    return OpenSslError("cannot write the request");
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  made.request_pem.assign(data, static_cast<size_t>(size));
  return made;
}

absl::StatusOr<ReceivedRequest> ParseRequest(absl::string_view request_pem) {
  if (request_pem.size() > kMaxRequestBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "no certificate request: over ", kMaxRequestBytes >> 10, " KiB"));
  }
  UniqueRequest request(PEM_read_bio_X509_REQ(MemoryBio(request_pem).get(),
                                              nullptr, nullptr, nullptr));
  if (request == nullptr) {
    ERR_clear_error();
    return absl::InvalidArgumentError("no PEM certificate request in it");
  }
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
  if (key == nullptr || !IsP256(key)) {
    ERR_clear_error();
    return absl::InvalidArgumentError(
        "the request's key is not of ECDSA P-256");
  }
  ReceivedRequest received;
  received.signed_by_its_key = X509_REQ_verify(request.get(), key) == 1;
  ERR_clear_error();
  HILUM_ASSIGN_OR_RETURN(received.name, NamesOf(request.get()));
  HILUM_RETURN_IF_ERROR(AlternativeNames(kRequested, received.name).status());
  HILUM_RETURN_IF_ERROR(CheckSubject(request.get(), received.name));
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  if (size <= 0) return OpenSslError("cannot write the request's key");
  received.key_digest = Sha256Of(absl::string_view(reinterpret_cast<char*>(der),
                                                   static_cast<size_t>(size)));
  OPENSSL_free(der);
  return received;
}

absl::StatusOr<RequestedName> ReadRequest(absl::string_view request_pem) {
  HILUM_ASSIGN_OR_RETURN(ReceivedRequest request, ParseRequest(request_pem));
  if (request.signed_by_its_key) return std::move(request.name);
  return absl::InvalidArgumentError(
      "the request is not signed by its own key: it was damaged or changed "
      "on its way");
}

}  // namespace hilum
