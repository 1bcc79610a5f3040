// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SIM_RUN_RECORD_H_
#define HILUM_SIM_RUN_RECORD_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace hilum {

// What `hilum-sim run` keeps in OUT/run.json, so that the same command can go
// on with a run that was interrupted, and another one cannot.
struct RunRecord {
  std::string source;     // where the cases come from, and the transport
  std::string study;      // YAML, complete
  std::string cases;      // SHA-256 of the sites' manifests, hexadecimal
  std::string weights;    // starting weights and how they are fitted
  bool prepared = false;  // the sites have their cases; study.yaml is written
  bool done = false;      // the report is written
};

// Nothing where OUT has no record or one of another kind. Errors are those of
// the file.
absl::StatusOr<std::optional<RunRecord>> ReadRunRecord(const std::string& out);
absl::Status WriteRunRecord(const std::string& out, const RunRecord& record);

// Returns in words what is not the same in two runs that are prepared; empty:
// one can go on with the other.
std::string DifferenceOf(const RunRecord& a, const RunRecord& b);

}  // namespace hilum

#endif  // HILUM_SIM_RUN_RECORD_H_
