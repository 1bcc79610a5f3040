// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/features/feature_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/check.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

constexpr absl::string_view kSuffix = ".features";
constexpr size_t kMaxFeatureSize = size_t{1} << 28;  // 1 GiB a case

std::string FileName(absl::string_view key) {
  return absl::StrCat(ToHex(key), kSuffix);
}

bool IsFileName(absl::string_view name) {
  return absl::ConsumeSuffix(&name, kSuffix) && name.size() == 64 &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return absl::ascii_isxdigit(c) && !absl::ascii_isupper(c);
         });
}

absl::StatusOr<struct stat> Stat(int fd, absl::string_view path) {
  struct stat info;
  if (fstat(fd, &info) != 0) return ErrnoStatus(errno, "cannot stat", path);
  return info;
}

}  // namespace

FeatureStore::FeatureStore(const FeatureStoreOptions& options, SecureRng& rng)
    : records_(options.key, options.feature_size, options.encryption_key, rng),
      feature_size_(options.feature_size),
      max_bytes_(options.max_bytes),
      path_(absl::StrCat(options.folder, "/", FileName(options.key))) {}

absl::StatusOr<std::unique_ptr<FeatureStore>> FeatureStore::Open(
    const FeatureStoreOptions& options, SecureRng& rng) {
  if (options.feature_size == 0 || options.feature_size > kMaxFeatureSize) {
    return absl::InvalidArgumentError(absl::StrCat(
        "features of ", options.feature_size,
        " floats a case cannot be stored, only of 1 to ", kMaxFeatureSize));
  }
  HILUM_RETURN_IF_ERROR(MakeDirectories(options.folder));
  std::unique_ptr<FeatureStore> store(new FeatureStore(options, rng));
  HILUM_RETURN_IF_ERROR(store->LockFile());
  HILUM_RETURN_IF_ERROR(store->ReadHeader());
  return store;
}

absl::Status FeatureStore::LockFile() {
  for (;;) {
    // O_NONBLOCK: a pipe is refused below instead of waited for.
    fd_ = ScopedFd(open(path_.c_str(),
                        O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                        0600));
    if (fd_.get() < 0) return ErrnoStatus(errno, "cannot open", path_);
    HILUM_ASSIGN_OR_RETURN(const bool held, TryLock(fd_.get(), path_));
    if (!held) {
      return absl::FailedPreconditionError(
          absl::StrCat(path_, ": in use by another trainer"));
    }
    HILUM_ASSIGN_OR_RETURN(const struct stat info, Stat(fd_.get(), path_));
    if (info.st_nlink == 0) continue;  // RemoveOtherFeatureStores was faster
    if (!S_ISREG(info.st_mode)) {
      return absl::InvalidArgumentError(absl::StrCat(path_, ": not a file"));
    }
    if (fchmod(fd_.get(), 0600) != 0) {
      return ErrnoStatus(errno, "cannot set the mode", path_);
    }
    return absl::OkStatus();
  }
}

absl::Status FeatureStore::ReadHeader() {
  HILUM_ASSIGN_OR_RETURN(const struct stat info, Stat(fd_.get(), path_));
  std::string header(records_.header().size(), '\0');
  if (!ReadAt(fd_.get(), 0, header.data(), header.size(), path_).ok() ||
      header != records_.header()) {
    return BeginAnew();
  }
  return FindRecords(static_cast<uint64_t>(info.st_size));
}

absl::Status FeatureStore::BeginAnew() {
  if (ftruncate(fd_.get(), 0) != 0) {
    return ErrnoStatus(errno, "cannot empty", path_);
  }
  end_ = records_.header().size();
  return WriteAt(fd_.get(), 0, records_.header(), path_);
}

absl::Status FeatureStore::FindRecords(uint64_t file_size) {
  end_ = records_.header().size();
  for (; end_ + records_.record_size() <= file_size;
       end_ += records_.record_size()) {
    std::string name(FeatureRecords::kNameSize, '\0');
    // An unreadable record keeps its place; no case refers to it.
    Trust trust = Trust::kUnknown;
    if (!ReadAt(fd_.get(), end_, name.data(), name.size(), path_).ok()) {
      trust = Trust::kDropped;
    }
    Add(std::move(name), trust);
  }
  if (file_size > end_ && ftruncate(fd_.get(), static_cast<off_t>(end_)) != 0) {
    return ErrnoStatus(errno, "cannot cut", path_);
  }
  return absl::OkStatus();
}

void FeatureStore::Add(std::string name, Trust trust) {
  record_of_[std::move(name)] = trust_.size();
  trust_.emplace_back(trust);
}

std::optional<size_t> FeatureStore::RecordOf(const std::string& name) const {
  const auto found = record_of_.find(name);
  if (found == record_of_.end() ||
      trust_[found->second].load() == Trust::kDropped) {
    return std::nullopt;
  }
  return found->second;
}

bool FeatureStore::Has(absl::string_view digest) const {
  return RecordOf(records_.Name(digest)).has_value();
}

// Fails if another program cut the file short: Append would leave a hole, which
// reads as zeros in the place of a verified record.
absl::Status FeatureStore::CheckLength() const {
  HILUM_ASSIGN_OR_RETURN(const struct stat info, Stat(fd_.get(), path_));
  if (static_cast<uint64_t>(info.st_size) >= end_) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(path_, ": was cut short by another program"));
}

absl::Status FeatureStore::Append(absl::Span<const std::string> digests,
                                  absl::Span<const float> features) {
  HILUM_CHECK(features.size() == digests.size() * feature_size_);
  HILUM_RETURN_IF_ERROR(CheckLength());
  for (size_t i = 0; i < digests.size(); ++i) {
    std::string name = records_.Name(digests[i]);
    if (RecordOf(name)) continue;
    if (end_ > max_bytes_ || max_bytes_ - end_ < records_.record_size()) {
      return absl::ResourceExhaustedError(absl::StrCat(
          path_, ": no room for one more case within ", max_bytes_, " bytes"));
    }
    absl::Status status =
        WriteAt(fd_.get(), end_,
                records_.Encode(
                    name, features.subspan(i * feature_size_, feature_size_)),
                path_);
    if (!status.ok()) {
      // Frees the disk space of the failed write; the next write starts at end_
      // anyway.
      (void)!ftruncate(fd_.get(), static_cast<off_t>(end_));
      return status;
    }
    end_ += records_.record_size();
    Add(std::move(name), Trust::kUnknown);
  }
  return absl::OkStatus();
}

absl::Status FeatureStore::Read(absl::string_view digest,
                                absl::Span<float> out) const {
  HILUM_CHECK(out.size() == feature_size_);
  const std::string name = records_.Name(digest);
  const std::optional<size_t> record = RecordOf(name);
  if (!record) {
    return absl::NotFoundError(absl::StrCat(path_, ": not of this case"));
  }
  absl::Status status = ReadRecord(name, *record, out);
  trust_[*record].store(status.ok() ? Trust::kVerified : Trust::kDropped);
  return status;
}

absl::Status FeatureStore::ReadRecord(absl::string_view name, size_t record,
                                      absl::Span<float> out) const {
  const uint64_t at = records_.header().size() +
                      record * records_.record_size() +
                      FeatureRecords::kNameSize;
  HILUM_RETURN_IF_ERROR(ReadAt(fd_.get(), at + FeatureRecords::kSealSize,
                               reinterpret_cast<char*>(out.data()),
                               out.size() * sizeof(float), path_));
  if (!records_.encrypted() && trust_[record].load() == Trust::kVerified) {
    return absl::OkStatus();
  }
  std::string seal(FeatureRecords::kSealSize, '\0');
  HILUM_RETURN_IF_ERROR(ReadAt(fd_.get(), at, seal.data(), seal.size(), path_));
  if (records_.Decode(name, seal, out)) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(path_, ": record ", record,
                                          " is damaged and counts no more"));
}

absl::Status RemoveOtherFeatureStores(
    const std::string& folder, absl::Span<const std::string> keys_in_use) {
  std::error_code error;
  std::filesystem::directory_iterator entries(folder, error);
  if (error == std::errc::no_such_file_or_directory) return absl::OkStatus();
  for (; !error && entries != std::filesystem::directory_iterator();
       entries.increment(error)) {
    const std::string name = entries->path().filename().string();
    const bool in_use = std::any_of(
        keys_in_use.begin(), keys_in_use.end(),
        [&](const std::string& key) { return FileName(key) == name; });
    std::error_code gone;
    if (in_use || !IsFileName(name) ||
        entries->symlink_status(gone).type() !=
            std::filesystem::file_type::regular) {
      continue;
    }
    const std::string path = absl::StrCat(folder, "/", name);
    ScopedFd fd(
        open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (fd.get() < 0 && errno == ENOENT) continue;
    if (fd.get() < 0) return ErrnoStatus(errno, "cannot open", path);
    HILUM_ASSIGN_OR_RETURN(const bool held, TryLock(fd.get(), path));
    if (held && unlink(path.c_str()) != 0) {
      return ErrnoStatus(errno, "cannot remove", path);
    }
  }
  if (error) return ErrnoStatus(error.value(), "cannot list", folder);
  return absl::OkStatus();
}

}  // namespace hilum
