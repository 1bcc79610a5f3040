// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/folder.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <ostream>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/file.h"
#include "common/base/ordered_pipeline.h"
#include "common/base/status_macros.h"
#include "common/cli/progress.h"
#include "site_agent/ingest/exports.h"
#include "site_agent/ingest/folder_walk.h"
#include "site_agent/ingest/intake.h"

namespace hilum {
namespace {

namespace fs = std::filesystem;

// Limit of images that a crash makes the next run read again.
constexpr int64_t kImagesPerCommit = 32;

std::string Canonical(const std::string& path) {
  std::error_code error;
  const fs::path found = fs::weakly_canonical(path, error);
  return error || path.empty() ? path : found.string();
}

// Returns the mask at the image's path relative to the folder; empty: none.
std::string MaskAt(const std::string& masks, const std::string& folder,
                   const std::string& path) {
  if (masks.empty()) return "";
  fs::path relative = path.substr(folder.size() + 1);
  return MaskFileAt((fs::path(masks) / relative.replace_extension()).string());
}

struct Tally {
  int64_t cases = 0;
  int64_t refused = 0;
};

class FolderRun {
 public:
  FolderRun(const FolderOptions& options, Intake& intake, Clock& clock)
      : options_(options), intake_(intake), clock_(clock) {}

  // Finds the files that the store does not have in their present state.
  absl::Status FindPending(const FolderWalk& walk) {
    const std::string masks = Canonical(options_.masks);
    for (const FoundFile& found : walk.files) {
      IntakeFile file{.path = found.path,
                      .stamp = found.stamp,
                      .read = {.mask = MaskAt(masks, walk.folder, found.path),
                               .mask_folder = masks}};
      HILUM_ASSIGN_OR_RETURN(const bool known, intake_.IsKnown(file));
      if (known) continue;
      HILUM_ASSIGN_OR_RETURN(auto before, intake_.FindSource(file.path));
      file.read.chosen = before.has_value() && before->chosen;
      pending_.push_back(std::move(file));
    }
    return absl::OkStatus();
  }

  absl::Status TakeAll(std::ostream& out) {
    const auto count = static_cast<int64_t>(pending_.size());
    Progress progress("Images", count, clock_, out, options_.terminal);
    auto read = [&](int64_t i, Prepared& prepared) {
      prepared = intake_.Read(pending_[i]);
      return absl::OkStatus();
    };
    auto record = [&](int64_t i, Prepared& prepared) -> absl::Status {
      HILUM_ASSIGN_OR_RETURN(
          Outcome outcome,
          intake_.Record(pending_[i], std::exchange(prepared, {})));
      ++(outcome.case_id.empty() ? tally_.refused : tally_.cases);
      if ((i + 1) % kImagesPerCommit == 0) {
        HILUM_RETURN_IF_ERROR(intake_.Commit());
      }
      progress.Report(i + 1);
      return absl::OkStatus();
    };
    HILUM_RETURN_IF_ERROR(RunOrdered<Prepared>(count, Threads(), read, record));
    progress.Finish();
    return absl::OkStatus();
  }

  const Tally& tally() const { return tally_; }
  size_t pending() const { return pending_.size(); }

 private:
  int Threads() const {
    if (options_.threads > 0) return options_.threads;
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  }

  const FolderOptions& options_;
  Intake& intake_;
  Clock& clock_;
  std::vector<IntakeFile> pending_;
  Tally tally_;
};

absl::Status TakeLabels(const FolderOptions& options, const std::string& folder,
                        Intake& intake, std::ostream& out) {
  if (options.labels.empty()) return absl::OkStatus();
  HILUM_ASSIGN_OR_RETURN(
      const LabelFile labels,
      ReadLabelFile(options.labels, folder, intake.pseudonyms()));
  for (const std::string& line : labels.unused) out << line << "\n";
  for (const std::string& line : labels.notes) out << line << "\n";
  out << absl::StrFormat("labels: %d rows, %d that count for nothing\n",
                         labels.rows.size() + labels.unused.size(),
                         labels.unused.size());
  return intake.AddLabels(labels);
}

absl::Status Summarize(const FolderWalk& walk, const FolderRun& run,
                       Intake& intake, std::ostream& out) {
  out << absl::StrFormat(
      "files: %d, of which %d are known already; %d taken, %d refused\n",
      walk.files.size(), walk.files.size() - run.pending(), run.tally().cases,
      run.tally().refused);
  if (!walk.problems.empty()) {
    out << absl::StrFormat("places that could not be read: %d\n",
                           walk.problems.size());
  }
  HILUM_ASSIGN_OR_RETURN(const StoreCounts counts,
                         CountStore(intake.database()));
  out << absl::StrFormat(
      "store: %d cases ready, %d without a label, %d in quarantine; %d files "
      "refused\n",
      counts.ready, counts.unlabelled, counts.quarantined, counts.refused);
  if (counts.quarantined + counts.refused > 0) {
    out << "why: `hilum-ingest list --quarantined`, or quarantine.csv in the "
           "store\n";
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status IngestFolder(const FolderOptions& options, std::ostream& out,
                          std::ostream& progress, Clock& clock,
                          SecureRng& rng) {
  HILUM_ASSIGN_OR_RETURN(
      const FolderWalk walk,
      WalkFolder(options.folder,
                 {Canonical(options.store), Canonical(options.labels),
                  Canonical(options.masks), Canonical(options.key_file),
                  Canonical(options.words)}));
  if (options.confine) HILUM_RETURN_IF_ERROR(options.confine(walk));
  HILUM_ASSIGN_OR_RETURN(std::unique_ptr<Intake> intake,
                         Intake::Open({.store = options.store,
                                       .key_file = options.key_file,
                                       .actor = "folder",
                                       .words = options.words},
                                      clock, rng));
  HILUM_RETURN_IF_ERROR(TakeLabels(options, walk.folder, *intake, out));
  FolderRun run(options, *intake, clock);
  HILUM_RETURN_IF_ERROR(run.FindPending(walk));
  HILUM_RETURN_IF_ERROR(run.TakeAll(progress));
  HILUM_RETURN_IF_ERROR(intake->RecordWalk(walk));
  HILUM_RETURN_IF_ERROR(intake->Commit());
  HILUM_RETURN_IF_ERROR(intake->Export());
  HILUM_RETURN_IF_ERROR(Summarize(walk, run, *intake, out));
  if (!walk.files.empty()) return absl::OkStatus();
  return absl::NotFoundError(
      absl::StrCat(options.folder,
                   ": no file in it that could be read; give the folder "
                   "that holds the images"));
}

}  // namespace hilum
