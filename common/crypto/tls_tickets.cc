// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/tls_tickets.h"

#include <openssl/conf.h>
#include <openssl/crypto.h>

#include <memory>

#include "common/base/check.h"
#include "common/crypto/openssl_types.h"

namespace hilum {
namespace {

// OpenSSL applies `system_default` to every context.
constexpr char kDefaults[] = R"(
openssl_conf = hilum
[hilum]
ssl_conf = hilum_ssl
[hilum_ssl]
system_default = hilum_tls
[hilum_tls]
CipherString = DEFAULT@SECLEVEL=2
MinProtocol = TLSv1.2
Options = -SessionTicket
NumTickets = 0
)";

bool LoadDefaults() {
  // Loads the machine's own configuration first; loaded later, it would replace
  // these settings.
  if (OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, nullptr) != 1) return false;
  const std::unique_ptr<CONF, OpenSslFree<NCONF_free>> config(
      NCONF_new(nullptr));
  long line = 0;
  return config != nullptr &&
         NCONF_load_bio(config.get(), MemoryBio(kDefaults).get(), &line) == 1 &&
         CONF_modules_load(config.get(), nullptr, 0) == 1;
}

}  // namespace

void GiveNoTlsTickets() {
  static const bool loaded = LoadDefaults();
  HILUM_CHECK(loaded);
}

}  // namespace hilum
