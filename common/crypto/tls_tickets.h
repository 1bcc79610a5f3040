// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_CRYPTO_TLS_TICKETS_H_
#define HILUM_COMMON_CRYPTO_TLS_TICKETS_H_

namespace hilum {

// Makes the TLS servers of this process give no session tickets, so that no
// session is resumed. A ticket stores its bearer's identity and would admit the
// bearer without a certificate, also after that certificate has expired. gRPC
// 1.51 has no setting for this, so the function sets OpenSSL's defaults of the
// process, which hold for contexts made afterwards. Call before the first one.
// Ends the process where OpenSSL rejects the settings. Thread-safe.
void GiveNoTlsTickets();

}  // namespace hilum

#endif  // HILUM_COMMON_CRYPTO_TLS_TICKETS_H_
