// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_BASE_CSV_H_
#define HILUM_COMMON_BASE_CSV_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hilum {

// RFC 4180 records: quotes, doubled quotes, CRLF or LF, a leading byte order
// mark. INVALID_ARGUMENT: a quote that does not close, with its row.
absl::StatusOr<std::vector<std::vector<std::string>>> ParseCsv(
    absl::string_view text);

// One field, quoted where RFC 4180 asks for it.
std::string CsvField(absl::string_view value);

}  // namespace hilum

#endif  // HILUM_COMMON_BASE_CSV_H_
