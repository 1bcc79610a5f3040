// SPDX-License-Identifier: Apache-2.0
#include "common/base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/cause.h"
#include "common/base/descriptors.h"
#include "common/base/status_macros.h"

namespace hilum {

absl::Status ErrnoStatus(int error, absl::string_view what,
                         absl::string_view path) {
  std::string message =
      absl::StrCat(path, ": ", what, ": ", std::strerror(error));
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return absl::NotFoundError(message);
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(message);
    case ENOSPC:
    case EDQUOT:
      return WithCause(absl::ResourceExhaustedError(message), Cause::kDiskFull);
    case EFBIG:
      return WithCause(absl::ResourceExhaustedError(message), Cause::kTooLarge);
    case EMFILE:
      return absl::InternalError(
          absl::StrCat(message, ": this process may have ", DescriptorLimit(),
                       " open; raise the limit (`ulimit -n`)"));
    default:
      return absl::InternalError(message);
  }
}

absl::StatusOr<std::string> ReadFile(const std::string& path,
                                     uint64_t max_bytes) {
  ScopedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return ErrnoStatus(errno, "cannot open", path);
  struct stat info;
  if (fstat(fd.get(), &info) != 0) {
    return ErrnoStatus(errno, "cannot stat", path);
  }
  if (S_ISDIR(info.st_mode)) return ErrnoStatus(EISDIR, "cannot read", path);
  std::string content;
  char buffer[1 << 16];
  for (;;) {
    ssize_t got = read(fd.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, "cannot read", path);
    if (got == 0) return content;
    content.append(buffer, static_cast<size_t>(got));
    if (content.size() > max_bytes) {
      return WithCause(absl::ResourceExhaustedError(absl::StrCat(
                           path, ": larger than ", max_bytes, " bytes")),
                       Cause::kTooLarge);
    }
  }
}

absl::Status WriteFileAtomically(const std::string& path,
                                 absl::string_view content,
                                 Durability durability, uint32_t mode) {
  return WritePiecesAtomically(path, {content}, durability, mode);
}

absl::Status WritePiecesAtomically(const std::string& path,
                                   absl::Span<const absl::string_view> pieces,
                                   Durability durability, uint32_t mode) {
  std::string temporary = absl::StrCat(path, ".tmp.", getpid());
  ScopedFd fd(
      open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (fd.get() < 0) return ErrnoStatus(errno, "cannot create", temporary);
  auto fail = [&](absl::string_view what) {
    absl::Status status = ErrnoStatus(errno, what, path);
    unlink(temporary.c_str());
    return status;
  };
  for (absl::string_view piece : pieces) {
    while (!piece.empty()) {
      ssize_t put = write(fd.get(), piece.data(), piece.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return fail("cannot write");
      piece.remove_prefix(static_cast<size_t>(put));
    }
  }
  if (durability == Durability::kSync && fsync(fd.get()) != 0) {
    return fail("cannot sync");
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    return fail("cannot rename into place");
  }
  if (durability == Durability::kSync) {
    return SyncDirectory(std::filesystem::path(path).parent_path().string());
  }
  return absl::OkStatus();
}

absl::Status ReadAt(int fd, uint64_t offset, char* to, size_t size,
                    absl::string_view path) {
  while (size > 0) {
    ssize_t got = pread(fd, to, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, "cannot read", path);
    if (got == 0) {
      return absl::DataLossError(
          absl::StrCat(path, ": shorter than it must be"));
    }
    to += got;
    size -= static_cast<size_t>(got);
    offset += static_cast<uint64_t>(got);
  }
  return absl::OkStatus();
}

absl::Status WriteAt(int fd, uint64_t offset, absl::string_view data,
                     absl::string_view path) {
  while (!data.empty()) {
    ssize_t put =
        pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return ErrnoStatus(errno, "cannot write", path);
    data.remove_prefix(static_cast<size_t>(put));
    offset += static_cast<uint64_t>(put);
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> TryLock(int fd, absl::string_view path) {
  while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return false;
    if (errno != EINTR) return ErrnoStatus(errno, "cannot lock", path);
  }
  return true;
}

absl::StatusOr<uint64_t> ReadBlocks(
    int fd, absl::string_view path,
    absl::FunctionRef<void(absl::string_view)> take) {
  std::string block(1 << 20, '\0');
  uint64_t size = 0;
  size_t have = 0;  // of this block
  for (;;) {
    ssize_t got = pread(fd, block.data() + have, block.size() - have,
                        static_cast<off_t>(size));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, "cannot read", path);
    have += static_cast<size_t>(got);
    size += static_cast<uint64_t>(got);
    if (got > 0 && have < block.size()) continue;
    if (have > 0) take(absl::string_view(block.data(), have));
    if (got == 0) return size;
    have = 0;
  }
}

absl::Status MakeDirectories(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return ErrnoStatus(error.value(), "cannot make folder", path);
  return absl::OkStatus();
}

absl::Status SyncDirectory(const std::string& path) {
  std::string folder = path.empty() ? "." : path;
  ScopedFd fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return ErrnoStatus(errno, "cannot open folder", folder);
  if (fsync(fd.get()) != 0) return ErrnoStatus(errno, "cannot sync", folder);
  return absl::OkStatus();
}

bool FileExists(const std::string& path) {
  return access(path.c_str(), F_OK) == 0;
}

std::string ResolvePath(absl::string_view base, absl::string_view path) {
  std::filesystem::path given{std::string(path)};
  if (given.is_absolute()) return given.string();
  return (std::filesystem::path(std::string(base)) / given)
      .lexically_normal()
      .string();
}

ScopedFd& ScopedFd::operator=(ScopedFd&& other) noexcept {
  if (this != &other) {
    Close();
    fd_ = other.Release();
  }
  return *this;
}

int ScopedFd::Release() {
  int fd = fd_;
  fd_ = -1;
  return fd;
}

void ScopedFd::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

}  // namespace hilum
