// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_ADVERSARY_STUCK_REPORT_H_
#define HILUM_TESTS_ADVERSARY_STUCK_REPORT_H_

#include <string>

namespace hilum {

// Returns the last five lines of a site's ledger. A call with no line after it
// has no answer yet; if SENT and its RECEIPT are last, the site waits for a
// task.
std::string LastLedgerLines(const std::string& ledger_path);

// Returns a line for each thread of this process: its name, and the kernel
// function in which it waits (0: none, or not visible to this user).
std::string ThreadsOfProcess();

}  // namespace hilum

#endif  // HILUM_TESTS_ADVERSARY_STUCK_REPORT_H_
