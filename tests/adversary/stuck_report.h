// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_ADVERSARY_STUCK_REPORT_H_
#define HILUM_TESTS_ADVERSARY_STUCK_REPORT_H_

#include <string>

namespace hilum {

// Returns the last five lines of a site's ledger: a call without what follows
// it is not answered yet; SENT with its RECEIPT and nothing after it means that
// the site waits for a task.
std::string LastLedgerLines(const std::string& ledger_path);

// Returns a line for each thread of this process: its name and the kernel's
// function that it waits in (0: none, or not for this user to see).
std::string ThreadsOfProcess();

}  // namespace hilum

#endif  // HILUM_TESTS_ADVERSARY_STUCK_REPORT_H_
