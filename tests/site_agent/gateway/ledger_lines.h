// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_SITE_AGENT_GATEWAY_LEDGER_LINES_H_
#define HILUM_TESTS_SITE_AGENT_GATEWAY_LEDGER_LINES_H_

#include <string>
#include <vector>

#include "hilum/v1/ledger.pb.h"

namespace hilum {

// Returns the lines of the ledger file at `path`, in order.
std::vector<v1::LedgerEntry> LedgerLines(const std::string& path);

// Returns the details of the lines of one kind, in order.
std::vector<std::string> LedgerDetails(const std::string& path,
                                       v1::LedgerEntry::Kind kind);

}  // namespace hilum

#endif  // HILUM_TESTS_SITE_AGENT_GATEWAY_LEDGER_LINES_H_
