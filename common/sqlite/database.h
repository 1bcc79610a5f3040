// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_SQLITE_DATABASE_H_
#define HILUM_COMMON_SQLITE_DATABASE_H_

#include <sqlite3.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hilum {

// Opens a database; the caller closes it (sqlite3_close_v2). Creates it if
// absent. Uses a synced write-ahead log, so that committed data is on disk. For
// one thread at a time. `migrations[v]` leads from schema v (user_version) to v
// + 1 in one transaction, and sets user_version; `program` is the writer of
// newer schemas. FAILED_PRECONDITION: a newer schema. Other errors: see
// SqliteStatus.
absl::StatusOr<sqlite3*> OpenDatabase(const std::string& path,
                                      absl::string_view program,
                                      absl::Span<const char* const> migrations);

// Runs statements without parameters and rows.
absl::Status ExecuteSql(sqlite3* database, absl::string_view path,
                        const char* sql);

}  // namespace hilum

#endif  // HILUM_COMMON_SQLITE_DATABASE_H_
