// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_SERVICE_CLIENT_HELLO_H_
#define HILUM_COORDINATOR_SERVICE_CLIENT_HELLO_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace hilum {

// Whether a connection begins with a TLS record that holds a ClientHello
// (RFC 8446, 4.1.2 and 5.1). kPart: so far it does, and more must come.
enum class Hello { kNone, kPart, kWhole };

// The bytes of the record's and the message's head that are judged.
inline constexpr size_t kHelloHeadBytes = 6;

// `head`: the first bytes, kHelloHeadBytes where there are as many.
// `available`: bytes that have come in all.
Hello JudgeHello(absl::string_view head, size_t available);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_SERVICE_CLIENT_HELLO_H_
