// SPDX-License-Identifier: Apache-2.0
// Files and folders that only their owner may read.
#ifndef HILUM_COMMON_BASE_PRIVATE_FILE_H_
#define HILUM_COMMON_BASE_PRIVATE_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hilum {

// Gives every file mode 0600 and every folder mode 0700 that this process and
// its children make from now on. Call while the process has one thread.
void MakeFilesPrivate();

// Makes the folder where it is absent. Removes others' access (mode 0700) where
// an older program left the folder open.
absl::Status MakePrivateFolder(const std::string& path);

// Checks that a secret file is open to its owner alone. PERMISSION_DENIED: it
// is open to its group or to others; the message has the command that mends it.
// `what` names the file's content, as "the private key".
absl::Status CheckPrivateFile(const std::string& path, absl::string_view what);

}  // namespace hilum

#endif  // HILUM_COMMON_BASE_PRIVATE_FILE_H_
