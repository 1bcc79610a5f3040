// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SIM_RUN_RECORD_H_
#define HILUM_SIM_RUN_RECORD_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace hilum {

// The content of OUT/run.json. With it the same `hilum-sim run` command can
// continue an interrupted run, and another command cannot.
struct RunRecord {
  std::string source;     // source of the cases, and the transport
  std::string study;      // YAML, complete
  std::string cases;      // SHA-256 of the sites' manifests, hexadecimal
  std::string weights;    // starting weights and the options for fitting them
  bool prepared = false;  // the sites have their cases; study.yaml is written
  bool done = false;      // the report is written
};

// Reads the record; nothing where OUT has none or one of another kind. Errors
// are those of the file.
absl::StatusOr<std::optional<RunRecord>> ReadRunRecord(const std::string& out);
absl::Status WriteRunRecord(const std::string& out, const RunRecord& record);

// Describes the difference between two prepared runs; empty: one can continue
// the other.
std::string DifferenceOf(const RunRecord& a, const RunRecord& b);

}  // namespace hilum

#endif  // HILUM_SIM_RUN_RECORD_H_
