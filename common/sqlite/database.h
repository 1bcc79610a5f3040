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

// An open database, which whoever has it closes (sqlite3_close_v2). Made where
// absent; written ahead and synced, so that what was committed is on disk. For
// one thread at a time. `migrations[v]` leads from schema v (user_version) to
// v + 1 in one transaction, and sets user_version; `program` is who wrote
// newer ones. FAILED_PRECONDITION: a newer schema. Else as SqliteStatus.
absl::StatusOr<sqlite3*> OpenDatabase(const std::string& path,
                                      absl::string_view program,
                                      absl::Span<const char* const> migrations);

// Statements without parameters and rows.
absl::Status ExecuteSql(sqlite3* database, absl::string_view path,
                        const char* sql);

}  // namespace hilum

#endif  // HILUM_COMMON_SQLITE_DATABASE_H_
