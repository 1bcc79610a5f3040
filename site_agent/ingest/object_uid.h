// SPDX-License-Identifier: Apache-2.0
// What names an object: one rule for files of a folder and for objects that
// come over the network.
#ifndef HILUM_SITE_AGENT_INGEST_OBJECT_UID_H_
#define HILUM_SITE_AGENT_INGEST_OBJECT_UID_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hilum {

// Returns the UID that a file or a peer gives, without padding (spaces, NULs);
// "" where it names no object: it is empty, longer than 64, or has a backslash
// or a character outside of printable ASCII. PS3.5 section 9.1 has digits and
// dots only; devices also write letters, and what they write is one object's
// name all the same. Two objects are the same where this is the same.
std::string ObjectUid(absl::string_view text);

// Returns a UID as it may begin a file's name, in any folder: other characters
// than letters, digits, dots and hyphens are %XX. And the UID of such a name;
// "": none.
std::string FileNameOfUid(absl::string_view uid);
std::string UidOfFileName(absl::string_view name);

// Whether PS3.5 section 9.1 has it so: digits and dots, 1 to 64. For names that
// are meant as a UID or are not.
bool IsUid(absl::string_view text);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_OBJECT_UID_H_
