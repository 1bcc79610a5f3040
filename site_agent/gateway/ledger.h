// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_LEDGER_H_
#define HILUM_SITE_AGENT_GATEWAY_LEDGER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "hilum/v1/ledger.pb.h"

namespace hilum {

// The site's record of what left and what was decided: one JSON object a
// line, appended and on disk before the message goes. Goes on with the
// sequence of an earlier process; a last line torn by a crash is cut off,
// since what it announced was not sent. Thread-safe.
class Ledger {
 public:
  // `clock` outlives this object.
  static absl::StatusOr<std::unique_ptr<Ledger>> Open(const std::string& path,
                                                      Clock& clock);

  // Fills sequence and time. RESOURCE_EXHAUSTED: disk full.
  absl::Status Append(v1::LedgerEntry entry);

 private:
  Ledger(std::string path, ScopedFd fd, uint64_t next, Clock& clock);

  const std::string path_;
  Clock& clock_;
  absl::Mutex mutex_;
  ScopedFd fd_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_LEDGER_H_
