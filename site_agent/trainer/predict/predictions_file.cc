// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/predict/predictions_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/csv.h"
#include "common/base/status_macros.h"
#include "site_agent/trainer/data/manifest_files.h"

namespace hilum {
namespace {

constexpr mode_t kOwnerOnly = 0600;  // rows are of patients

bool IsJson(const std::string& path) { return absl::EndsWith(path, ".jsonl"); }

nlohmann::ordered_json Scores(const std::vector<std::string>& classes,
                              const std::vector<double>& probabilities) {
  nlohmann::ordered_json scores;
  for (size_t c = 0; c < classes.size(); ++c) {
    scores[classes[c]] = probabilities[c];
  }
  return scores;
}

}  // namespace

size_t Prediction::Label() const {
  return static_cast<size_t>(
      std::max_element(probabilities.begin(), probabilities.end()) -
      probabilities.begin());
}

PredictionsFile::PredictionsFile(std::string path, PredictionsFormat format,
                                 int fd)
    : path_(std::move(path)),
      part_(absl::StrCat(path_, ".part")),
      format_(std::move(format)),
      fd_(fd) {}

PredictionsFile::~PredictionsFile() {
  if (!finished_) unlink(part_.c_str());
}

absl::StatusOr<std::unique_ptr<PredictionsFile>> PredictionsFile::Create(
    const std::string& path, const PredictionsFormat& format) {
  if (!IsJson(path) && !absl::EndsWith(path, ".csv")) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": name it .csv or .jsonl"));
  }
  const std::string part = absl::StrCat(path, ".part");
  const int fd =
      open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kOwnerOnly);
  if (fd < 0) return ErrnoStatus(errno, "cannot write", part);
  std::unique_ptr<PredictionsFile> file(new PredictionsFile(path, format, fd));
  if (!IsJson(path)) {
    HILUM_RETURN_IF_ERROR(file->Write(file->CsvHeader()));
  }
  return file;
}

absl::Status PredictionsFile::Write(absl::string_view bytes) {
  HILUM_RETURN_IF_ERROR(WriteAt(fd_.get(), written_, bytes, part_));
  written_ += bytes.size();
  return absl::OkStatus();
}

absl::Status PredictionsFile::Add(const Prediction& prediction) {
  return Write(IsJson(path_) ? JsonRow(prediction) : CsvRow(prediction));
}

absl::Status PredictionsFile::Finish() {
  if (fsync(fd_.get()) != 0) return ErrnoStatus(errno, "cannot write", part_);
  if (std::rename(part_.c_str(), path_.c_str()) != 0) {
    return ErrnoStatus(errno, "cannot write", path_);
  }
  finished_ = true;
  return SyncDirectory(ParentFolder(path_));
}

std::string PredictionsFile::CsvHeader() const {
  std::string header = "case,file,sop_instance,predicted";
  for (const std::string& label : format_.classes) {
    absl::StrAppend(&header, ",", CsvField(absl::StrCat("score_", label)));
  }
  for (const std::string& model : format_.models) {
    for (const std::string& label : format_.classes) {
      absl::StrAppend(&header, ",",
                      CsvField(absl::StrCat("score_", label, "_", model)));
    }
  }
  return absl::StrCat(header, ",abstained\n");
}

std::string PredictionsFile::CsvRow(const Prediction& prediction) const {
  std::string row =
      absl::StrCat(CsvField(prediction.id), ",", CsvField(prediction.file), ",",
                   CsvField(prediction.sop_instance), ",");
  const bool answered = !prediction.probabilities.empty();
  if (answered) row += CsvField(format_.classes[prediction.Label()]);
  const auto append = [&](const std::vector<double>* scores) {
    for (size_t c = 0; c < format_.classes.size(); ++c) {
      row += ',';
      if (answered) absl::StrAppendFormat(&row, "%.9g", (*scores)[c]);
    }
  };
  append(&prediction.probabilities);
  for (size_t m = 0; m < format_.models.size(); ++m) {
    append(answered ? &prediction.of_models[m] : nullptr);
  }
  return absl::StrCat(row, ",", CsvField(prediction.abstained), "\n");
}

std::string PredictionsFile::JsonRow(const Prediction& prediction) const {
  using Json = nlohmann::ordered_json;
  const bool answered = !prediction.probabilities.empty();
  Json json;
  json["case"] = prediction.id;
  json["file"] = prediction.file;
  json["sop_instance"] =
      prediction.sop_instance.empty() ? Json() : Json(prediction.sop_instance);
  json["predicted"] =
      answered ? Json(format_.classes[prediction.Label()]) : Json();
  json["scores"] =
      answered ? Scores(format_.classes, prediction.probabilities) : Json();
  if (!format_.models.empty()) {
    Json models;
    for (size_t m = 0; answered && m < format_.models.size(); ++m) {
      models[format_.models[m]] =
          Scores(format_.classes, prediction.of_models[m]);
    }
    json["models"] = std::move(models);
  }
  json["abstained"] =
      prediction.abstained.empty() ? Json() : Json(prediction.abstained);
  // File names need not be UTF-8.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace hilum
