// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_FEATURES_FEATURE_STORE_H_
#define HILUM_SITE_AGENT_TRAINER_FEATURES_FEATURE_STORE_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/base/file.h"
#include "common/crypto/secret.h"
#include "common/crypto/secure_rng.h"
#include "site_agent/trainer/features/feature_record.h"

namespace hilum {

struct FeatureStoreOptions {
  std::string folder;  // made if missing
  // 32 bytes: the digest of everything besides the case that features depend on
  // (weights of the trunk, architecture, where it is cut, preprocessing,
  // precision). Names the file.
  std::string key;
  size_t feature_size;  // floats of a case
  // 32 bytes; empty: features are stored unencrypted. Features show much of the
  // radiograph that they come from.
  SecretBytes encryption_key;
  // Limit of this file's size.
  uint64_t max_bytes = std::numeric_limits<uint64_t>::max();
};

// The outputs of a frozen trunk, kept on disk so that a case goes through the
// trunk once: a cache, FOLDER/HEX-OF-KEY.features, mode 0600. All of it can be
// computed again. A record that fails its check is dropped, and a file with a
// damaged header is begun anew.
//
// Life: one object is one file, locked (flock) until it is destroyed. Call
// order: Open, then (Has* Append* Read*)* in any order. Thread safety: Has and
// Read may run in parallel; Append must run alone.
//
// Reads are pread(2), not a mapping: if another program truncates the file, or
// a disk fails, the result is an error and not a crash. A plain record's
// checksum is verified at the first Read since Open, an encrypted one's tag at
// every Read.
class FeatureStore {
 public:
  // Opens or creates the file. A file of another version, feature_size or
  // encryption key (also one with a key where none is given), or with a damaged
  // header, is begun anew; a truncated record (kill -9 during Append) is cut
  // off. `rng` outlives the store; only encryption draws from it.
  // FAILED_PRECONDITION: another store, in this process or another, has the
  // file open; the caller goes on without. INVALID_ARGUMENT: feature_size is
  // not in 1 to 2^28; or the path is not a file. Otherwise as ErrnoStatus.
  static absl::StatusOr<std::unique_ptr<FeatureStore>> Open(
      const FeatureStoreOptions& options, SecureRng& rng);

  // Returns whether the case is stored. A damaged record counts as stored until
  // its first Read. `digest`: 32 bytes, the digest of the trunk's input
  // (pixels, view).
  bool Has(absl::string_view digest) const;

  // Appends row-major `features` [digests.size(), feature_size]. Skips cases
  // that are stored already. Does not sync to disk: the checksum finds what a
  // power cut destroyed. RESOURCE_EXHAUSTED: the disk is full, or the file
  // would be larger than max_bytes. DATA_LOSS: another program truncated the
  // file. After an error the first of the cases may be stored, the others are
  // not, and all earlier records can still be read.
  absl::Status Append(absl::Span<const std::string> digests,
                      absl::Span<const float> features);

  // Reads features into `out`, [feature_size]. NOT_FOUND: not stored.
  // DATA_LOSS: damaged on disk, INTERNAL: it could not be read; in both the
  // case is dropped and may be appended again, and `out` has no meaning.
  absl::Status Read(absl::string_view digest, absl::Span<float> out) const;

  const std::string& path() const { return path_; }
  uint64_t num_bytes() const { return end_; }

 private:
  enum class Trust : uint8_t { kUnknown, kVerified, kDropped };

  FeatureStore(const FeatureStoreOptions& options, SecureRng& rng);

  absl::Status LockFile();
  absl::Status ReadHeader();
  absl::Status BeginAnew();
  absl::Status FindRecords(uint64_t file_size);
  void Add(std::string name, Trust trust);
  // Returns the record's index, or nullopt where the case is not stored.
  std::optional<size_t> RecordOf(const std::string& name) const;
  absl::Status ReadRecord(absl::string_view name, size_t record,
                          absl::Span<float> out) const;
  absl::Status CheckLength() const;

  const FeatureRecords records_;
  const size_t feature_size_;
  const uint64_t max_bytes_;
  const std::string path_;
  ScopedFd fd_;
  uint64_t end_ = 0;  // where the next record goes
  std::unordered_map<std::string, size_t> record_of_;  // by name
  // [records]; grows only in Append, changes in Read.
  mutable std::deque<std::atomic<Trust>> trust_;
};

// Deletes the feature stores of `folder` whose keys (32 bytes) are not in
// `keys_in_use`, so that trunks of former studies do not fill the disk. Keeps
// files that a store has open, and all other files. Errors as ErrnoStatus; OK
// without the folder.
absl::Status RemoveOtherFeatureStores(
    const std::string& folder, absl::Span<const std::string> keys_in_use);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_FEATURES_FEATURE_STORE_H_
