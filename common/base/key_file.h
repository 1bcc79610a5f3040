// SPDX-License-Identifier: Apache-2.0
// Key files: 64 hexadecimal digits and a line end, in a file that only its
// owner may read.
#ifndef HILUM_COMMON_BASE_KEY_FILE_H_
#define HILUM_COMMON_BASE_KEY_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hilum {

inline constexpr size_t kKeyFileBytes = 32;

// Returns the key in the file, kKeyFileBytes raw bytes. `what` names the key in
// errors, as "the patients' key". NOT_FOUND: no such file. PERMISSION_DENIED:
// the file is open to its group or to others; the message has the command that
// mends it. INVALID_ARGUMENT: the file holds something else.
absl::StatusOr<std::string> ReadKeyFile(const std::string& path,
                                        absl::string_view what);

// Writes a key of kKeyFileBytes raw bytes with mode 0600, and syncs the file.
absl::Status WriteKeyFile(const std::string& path, absl::string_view key);

// Returns the key in the file (ReadKeyFile). Where there is no file, makes one
// first: `fill` writes the new key's bytes.
absl::StatusOr<std::string> ReadOrMakeKeyFile(
    const std::string& path, absl::string_view what,
    absl::FunctionRef<void(absl::Span<uint8_t>)> fill);

}  // namespace hilum

#endif  // HILUM_COMMON_BASE_KEY_FILE_H_
