// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/shard_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/status_macros.h"

namespace hilum {

std::string ShardWriter::PathOf(int number) const {
  return absl::StrFormat("%s/%04d.shard", folder_, number);
}

absl::StatusOr<ShardWriter> ShardWriter::Open(const std::string& store,
                                              const ShardEnd& end) {
  ShardWriter writer(absl::StrCat(store, "/shards"), end);
  HILUM_RETURN_IF_ERROR(MakeDirectories(writer.folder_));
  // Removes shards that were begun but not recorded.
  for (int next = end.number + 1; FileExists(writer.PathOf(next)); ++next) {
    unlink(writer.PathOf(next).c_str());
  }
  HILUM_RETURN_IF_ERROR(writer.OpenShard());
  const std::string path = writer.PathOf(end.number);
  struct stat info;
  if (fstat(writer.fd_.get(), &info) != 0) {
    return ErrnoStatus(errno, "cannot stat", path);
  }
  const auto size = static_cast<uint64_t>(info.st_size);
  if (size < end.bytes) {
    return absl::DataLossError(absl::StrCat(
        path, ": has ", size, " bytes where store.db knows of ", end.bytes,
        "; bring the store back from a backup, or make a new one"));
  }
  if (size > end.bytes &&
      ftruncate(writer.fd_.get(), static_cast<off_t>(end.bytes)) != 0) {
    return ErrnoStatus(errno, "cannot cut its torn tail", path);
  }
  return writer;
}

absl::Status ShardWriter::OpenShard() {
  const std::string path = PathOf(end_.number);
  fd_ = ScopedFd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (fd_.get() < 0) return ErrnoStatus(errno, "cannot open", path);
  return SyncDirectory(folder_);
}

absl::StatusOr<ShardEnd> ShardWriter::Append(absl::string_view record) {
  if (end_.bytes >= kShardBytes) {
    HILUM_RETURN_IF_ERROR(Sync());
    end_ = {end_.number + 1, 0};
    HILUM_RETURN_IF_ERROR(OpenShard());
  }
  const ShardEnd place = end_;
  HILUM_RETURN_IF_ERROR(
      WriteAt(fd_.get(), end_.bytes, record, PathOf(end_.number)));
  end_.bytes += record.size();
  return place;
}

absl::Status ShardWriter::Sync() {
  if (fdatasync(fd_.get()) == 0) return absl::OkStatus();
  return ErrnoStatus(errno, "cannot sync", PathOf(end_.number));
}

}  // namespace hilum
