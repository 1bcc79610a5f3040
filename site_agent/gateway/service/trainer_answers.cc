// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/service/trainer_answers.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/printable.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

constexpr uint64_t kBlock = 1 << 20;

// Copies all of `in` from its first byte.
absl::Status CopyTo(int in, const std::string& from, uint64_t max_bytes,
                    const std::string& to) {
  unlink(to.c_str());
  ScopedFd out(open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (out.get() < 0) return ErrnoStatus(errno, "cannot write", to);
  std::string block(kBlock, '\0');
  for (uint64_t at = 0;;) {
    const ssize_t got =
        pread(in, block.data(), block.size(), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, "cannot read", from);
    if (got == 0) return absl::OkStatus();
    const auto size = static_cast<size_t>(got);
    if (at + size > max_bytes) {
      return absl::DataLossError(
          absl::StrCat(from, ": the trainer made a file of more than ",
                       max_bytes, " bytes; it is not taken"));
    }
    HILUM_RETURN_IF_ERROR(
        WriteAt(out.get(), at, absl::string_view(block).substr(0, size), to));
    at += size;
  }
}

}  // namespace

absl::Status JudgeTrainerStatus(const absl::Status& said) {
  if (said.ok()) return said;
  const bool stays =
      absl::IsUnavailable(said) || absl::IsResourceExhausted(said);
  return absl::Status(stays ? said.code() : absl::StatusCode::kAborted,
                      Printable(said.message(), kMaxTrainerText));
}

void BoundWarnings(google::protobuf::RepeatedPtrField<std::string>& warnings) {
  const int more = warnings.size() - kMaxTrainerWarnings;
  if (more > 0) warnings.DeleteSubrange(kMaxTrainerWarnings, more);
  for (std::string& warning : warnings) {
    warning = PrintableLine(warning, kMaxTrainerText);
  }
  if (more > 0) *warnings.Add() = absl::StrCat(more, " further warnings");
}

absl::Status TakeTrainersFile(const std::string& from, const std::string& to,
                              uint64_t max_bytes) {
  // Follows no link, and does not wait for a pipe.
  ScopedFd in(
      open(from.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (in.get() < 0 && errno == ENOENT) return absl::OkStatus();
  struct stat info;
  const bool opened = in.get() >= 0;
  if (!opened && errno != ELOOP && errno != ENXIO) {
    return ErrnoStatus(errno, "cannot look at", from);
  }
  if (!opened || fstat(in.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return absl::DataLossError(
        absl::StrCat(from, ": the trainer made something else than a file"));
  }
  const std::string copy = to + ".new";
  absl::Status copied = CopyTo(in.get(), from, max_bytes, copy);
  if (copied.ok() && rename(copy.c_str(), to.c_str()) != 0) {
    copied = ErrnoStatus(errno, "cannot move what the trainer wrote to", to);
  }
  if (!copied.ok()) {
    unlink(copy.c_str());
    return copied;
  }
  unlink(from.c_str());
  return SyncDirectory(std::filesystem::path(to).parent_path().string());
}

}  // namespace hilum
