// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_CRYPTO_TLS_TICKETS_H_
#define HILUM_COMMON_CRYPTO_TLS_TICKETS_H_

namespace hilum {

// Makes TLS servers of this process give no session tickets, so that no session
// is resumed. A ticket holds who its bearer was: it would let the bearer in
// without a certificate, also after that certificate's end. gRPC 1.51 has no
// setting for it, so OpenSSL's defaults for the process are set, which hold for
// contexts made afterwards. Call before the first one. Ends the process where
// OpenSSL does not take them. Thread-safe.
void GiveNoTlsTickets();

}  // namespace hilum

#endif  // HILUM_COMMON_CRYPTO_TLS_TICKETS_H_
