// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_PREDICT_PREDICTIONS_FILE_H_
#define HILUM_SITE_AGENT_TRAINER_PREDICT_PREDICTIONS_FILE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/base/file.h"

namespace hilum {

// The answer for one case, or why there is none.
struct Prediction {
  std::string id;                              // ListedCase's
  std::string file;                            // ListedCase's
  std::string sop_instance;                    // empty: none
  std::vector<double> probabilities;           // [classes]; empty: abstained
  std::vector<std::vector<double>> of_models;  // [models][classes]
  std::string abstained;

  // Returns the index of the most probable class, the first of equal ones.
  size_t Label() const;
};

struct PredictionsFormat {
  std::vector<std::string> classes;
  std::vector<std::string> models;  // names; empty: no columns of single models
};

// Writes predictions one by one to PATH.part, which becomes PATH at the end,
// readable by the owner alone. Not thread-safe.
class PredictionsFile {
 public:
  // Makes PATH.part; a path that ends in .jsonl is written as JSON lines, .csv
  // as CSV. INVALID_ARGUMENT: another suffix. Other errors are the file's.
  static absl::StatusOr<std::unique_ptr<PredictionsFile>> Create(
      const std::string& path, const PredictionsFormat& format);
  // Removes PATH.part, unless finished.
  ~PredictionsFile();

  absl::Status Add(const Prediction& prediction);
  absl::Status Finish();

 private:
  PredictionsFile(std::string path, PredictionsFormat format, int fd);
  absl::Status Write(absl::string_view bytes);
  std::string CsvHeader() const;
  std::string CsvRow(const Prediction& prediction) const;
  std::string JsonRow(const Prediction& prediction) const;

  const std::string path_, part_;
  const PredictionsFormat format_;
  const ScopedFd fd_;
  uint64_t written_ = 0;
  bool finished_ = false;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_PREDICT_PREDICTIONS_FILE_H_
