// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_SERVICE_CLIENT_HELLO_H_
#define HILUM_COORDINATOR_SERVICE_CLIENT_HELLO_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace hilum {

// Whether a connection begins with a TLS record that holds a ClientHello (RFC
// 8446, 4.1.2 and 5.1). kPart: so far it does, and more bytes must come.
enum class Hello { kNone, kPart, kWhole };

// The bytes of the record's and the message's header that are checked.
inline constexpr size_t kHelloHeadBytes = 6;

// `head`: the first bytes, kHelloHeadBytes if as many have come. `available`:
// the number of all bytes so far.
Hello JudgeHello(absl::string_view head, size_t available);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_SERVICE_CLIENT_HELLO_H_
