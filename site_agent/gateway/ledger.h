// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_LEDGER_H_
#define HILUM_SITE_AGENT_GATEWAY_LEDGER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "hilum/v1/ledger.pb.h"

namespace hilum {

// The site's record of what left and what was decided: one JSON object a line,
// appended and on disk before the message goes. Continues the sequence of an
// earlier process; cuts off a last line that a crash left incomplete, since its
// message was not sent.
// Counts repeats instead of writing them, so that neither a long study nor a
// hostile coordinator fills the disk:
// - CALLED: the first call of a method and study in an hour has a line at once;
//   the others are one line with their count and bytes, written when the hour
//   turns, before the next line of another kind, by Flush and at the end.
// - Refusals (GATE_REFUSED, SUM_REFUSED, ANSWER_REFUSED): the first
//   kRefusalLines of a kind, method and study in an hour have a line each; the
//   others are one line with their count when the hour turns, by Flush and at
//   the end.
// A crash loses at most the counts of the present hour. Thread-safe.
class Ledger {
 public:
  static constexpr uint64_t kRefusalLines = 8;

  // `clock` outlives this object.
  static absl::StatusOr<std::unique_ptr<Ledger>> Open(const std::string& path,
                                                      Clock& clock);
  // Writes the counts if the disk has room.
  ~Ledger();

  // Appends `entry`; fills in its sequence and time, and makes its detail
  // printable. RESOURCE_EXHAUSTED: disk full.
  absl::Status Append(v1::LedgerEntry entry);
  // Counts one call of `bytes` bytes that is about to leave. `study_hash` is in
  // hexadecimal, or empty. RESOURCE_EXHAUSTED: disk full.
  absl::Status CountCall(absl::string_view method, absl::string_view study_hash,
                         uint64_t bytes);
  // Writes all counts.
  absl::Status Flush();

 private:
  // The entries of one kind, method and study in the present hour.
  struct Tally {
    uint64_t lines = 0;  // written in full
    uint64_t count = 0;  // not written yet
    uint64_t bytes = 0;  // of the entries counted
  };
  using Key = std::tuple<int, std::string, std::string>;

  Ledger(std::string path, ScopedFd fd, uint64_t next, Clock& clock);
  // Writes the counts of the last hour if a new hour has begun.
  absl::Status TurnHour() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Returns the counts as entries: of CALLED or, with `all`, of all kinds.
  std::vector<v1::LedgerEntry> Counts(bool all) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Writes the counts and then `entries`: all of them or none.
  absl::Status Write(bool all, std::vector<v1::LedgerEntry> entries)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string path_;
  Clock& clock_;
  absl::Mutex mutex_;
  ScopedFd fd_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_ ABSL_GUARDED_BY(mutex_);
  int64_t hour_ ABSL_GUARDED_BY(mutex_) = 0;  // since the epoch
  std::map<Key, Tally> tallies_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_LEDGER_H_
