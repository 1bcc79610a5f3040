// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_SERVICE_CUT_LOG_H_
#define HILUM_COORDINATOR_SERVICE_CUT_LOG_H_

#include <cstddef>
#include <functional>
#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace hilum {

// Tells the operator which connections were cut and why: at most one line for
// each reason in ten seconds, for any number of connections. Not thread-safe.
class CutLog {
 public:
  explicit CutLog(std::function<void(absl::string_view)> log)
      : log_(std::move(log)) {}

  void Note(const std::string& reason, const std::string& address,
            absl::Time now);
  // Writes the notes since a reason's last line, once its time has come.
  void Flush(absl::Time now);
  // Returns the time of the next Flush; InfiniteFuture: there are no notes.
  absl::Time NextFlush() const;

 private:
  struct Noted {
    absl::Time next_line = absl::InfinitePast();
    size_t connections = 0;
    std::map<std::string, size_t> addresses;  // bounded
  };
  void Say(const std::string& reason, Noted& noted, absl::Time now);

  const std::function<void(absl::string_view)> log_;
  std::map<std::string, Noted> reasons_;
};

}  // namespace hilum

#endif  // HILUM_COORDINATOR_SERVICE_CUT_LOG_H_
