// SPDX-License-Identifier: Apache-2.0
// Files and folders that only their owner may read.
#ifndef HILUM_COMMON_BASE_PRIVATE_FILE_H_
#define HILUM_COMMON_BASE_PRIVATE_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hilum {

// Makes every file of mode 0600 and every folder of mode 0700 that this process
// and its children make from now on. Call with one thread.
void MakeFilesPrivate();

// Makes the folder where it is absent, and takes others' access to it away
// where an older program left it open (mode 0700).
absl::Status MakePrivateFolder(const std::string& path);

// Checks that a secret file is open to its owner alone. PERMISSION_DENIED: it
// is open to its group or to others; the message has the command that mends it.
// `what` names the file's content, as "the private key".
absl::Status CheckPrivateFile(const std::string& path, absl::string_view what);

}  // namespace hilum

#endif  // HILUM_COMMON_BASE_PRIVATE_FILE_H_
