// SPDX-License-Identifier: Apache-2.0
#include "tests/support/tiny_disk.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"

namespace hilum {

absl::StatusOr<std::unique_ptr<TinyDisk>> TinyDisk::Mount(uint64_t num_bytes) {
  // Mounts in a namespace of this process, so they end with the process.
  if (unshare(CLONE_NEWNS) != 0 ||
      mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return ErrnoStatus(errno, "cannot mount in private", "tmpfs");
  }
  const char* base = getenv("TMPDIR");
  std::string path =
      absl::StrCat(base == nullptr ? "/tmp" : base, "/tiny-disk-XXXXXX");
  if (mkdtemp(path.data()) == nullptr) {
    return ErrnoStatus(errno, "cannot make folder", path);
  }
  std::unique_ptr<TinyDisk> disk(new TinyDisk(path));
  if (mount("tmpfs", path.c_str(), "tmpfs", MS_NOSUID | MS_NODEV,
            absl::StrCat("size=", num_bytes).c_str()) != 0) {
    return ErrnoStatus(errno, "cannot mount", path);
  }
  return disk;
}

TinyDisk::~TinyDisk() {
  umount2(path_.c_str(), MNT_DETACH);
  rmdir(path_.c_str());
}

absl::Status TinyDisk::Fill(uint64_t left) {
  struct statvfs space;
  ScopedFd fd(open(Ballast().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (fd.get() < 0 || fstatvfs(fd.get(), &space) != 0) {
    return ErrnoStatus(errno, "cannot fill", path_);
  }
  const uint64_t available = space.f_bavail * space.f_frsize;
  if (available <= left) return absl::OkStatus();
  const off_t size =
      static_cast<off_t>(available - left / space.f_frsize * space.f_frsize);
  const int error = posix_fallocate(fd.get(), 0, size);
  if (error != 0) return ErrnoStatus(error, "cannot fill", path_);
  return absl::OkStatus();
}

void TinyDisk::Free() { unlink(Ballast().c_str()); }

}  // namespace hilum
