// SPDX-License-Identifier: Apache-2.0
// The name of an object; files of a folder and objects from the network follow
// the same rule.
#ifndef HILUM_SITE_AGENT_INGEST_OBJECT_UID_H_
#define HILUM_SITE_AGENT_INGEST_OBJECT_UID_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hilum {

// Returns the UID that a file or a peer gives, without padding (spaces, NULs).
// Returns "" if it names no object: it is empty, longer than 64, or has a
// backslash or a character that is not printable ASCII. PS3.5 section 9.1
// allows only digits and dots; some devices also write letters, which are
// accepted. Two objects are the same if this UID is the same.
std::string ObjectUid(absl::string_view text);

// Returns a UID in a form for the beginning of a file's name: characters other
// than letters, digits, dots and hyphens become %XX. UidOfFileName reverses
// this; "": none.
std::string FileNameOfUid(absl::string_view uid);
std::string UidOfFileName(absl::string_view name);

// Returns whether PS3.5 section 9.1 allows the UID: 1 to 64 digits and dots.
// For names that may or may not be UIDs.
bool IsUid(absl::string_view text);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_OBJECT_UID_H_
