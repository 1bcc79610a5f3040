// SPDX-License-Identifier: Apache-2.0
#include "coordinator/submission.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "common/model/architecture.h"
#include "common/model/blobs.h"
#include "common/model/weights_file.h"

namespace hilum {
namespace {

absl::Status WriteAll(int fd, absl::string_view bytes,
                      const std::string& path) {
  while (!bytes.empty()) {
    ssize_t wrote = write(fd, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return ErrnoStatus(errno, "cannot write", path);
    bytes.remove_prefix(static_cast<size_t>(wrote));
  }
  return absl::OkStatus();
}

// The first global blob: every track starts alike. Written track by track,
// as it may be large.
absl::StatusOr<v1::BlobRef> PutRepeated(absl::string_view track,
                                        size_t num_tracks,
                                        const BlobStore& blobs) {
  std::string path = blobs.TemporaryPath("submission");
  ScopedFd fd(
      open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (fd.get() < 0) return ErrnoStatus(errno, "cannot write", path);
  Sha256 sha;
  absl::Status status;
  for (size_t i = 0; i < num_tracks && status.ok(); ++i) {
    sha.Update(track);
    status = WriteAll(fd.get(), track, path);
  }
  if (status.ok() && fsync(fd.get()) != 0) {
    status = ErrnoStatus(errno, "cannot write", path);
  }
  v1::BlobRef ref;
  ref.set_sha256(sha.Finish());
  ref.set_size(track.size() * num_tracks);
  if (status.ok()) status = blobs.Adopt(path, ref.sha256());
  if (!status.ok()) {
    unlink(path.c_str());
    return status;
  }
  return ref;
}

absl::StatusOr<std::vector<float>> StartingWeights(
    const v1::Study& study, const Architecture& architecture,
    const std::string& path, WeightsOptions options) {
  if (path.empty()) return InitialWeights(architecture, study.seed());
  options.seed = study.seed();
  return ReadWeights(path, architecture, options);
}

}  // namespace

absl::StatusOr<StoredStudy> PrepareSubmission(v1::Study study,
                                              const std::string& weights_path,
                                              const WeightsOptions& options,
                                              const BlobStore& blobs) {
  FillStudyDefaults(study);
  study.set_protocol_version(kProtocolVersion);
  study.clear_initial_weights_sha256();
  HILUM_RETURN_IF_ERROR(ValidateStudy(study));
  HILUM_ASSIGN_OR_RETURN(ParameterLayout layout, StudyLayout(study));

  StoredStudy stored;
  SplitWeights split;
  {
    HILUM_ASSIGN_OR_RETURN(
        std::vector<float> initial,
        StartingWeights(study, layout.architecture, weights_path, options));
    study.set_initial_weights_sha256(Sha256Of(BlobBytes(initial)));
    HILUM_ASSIGN_OR_RETURN(split, SplitInitial(layout, initial));
  }
  if (!split.frozen.empty()) {
    absl::string_view bytes = BlobBytes(split.frozen);
    HILUM_ASSIGN_OR_RETURN(std::string sha256, blobs.Put(bytes));
    stored.frozen.set_sha256(sha256);
    stored.frozen.set_size(bytes.size());
  }
  HILUM_ASSIGN_OR_RETURN(stored.global,
                         PutRepeated(BlobBytes(split.travelling),
                                     StudyTracks(study).size(), blobs));
  stored.study = SerializeStudy(study);
  stored.hash = Sha256Of(stored.study);
  return stored;
}

}  // namespace hilum
