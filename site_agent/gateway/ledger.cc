// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/ledger.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "google/protobuf/util/json_util.h"

namespace hilum {
namespace {

absl::Status WriteLine(int fd, absl::string_view line,
                       const std::string& path) {
  while (!line.empty()) {
    ssize_t wrote = write(fd, line.data(), line.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return ErrnoStatus(errno, "cannot write", path);
    line.remove_prefix(static_cast<size_t>(wrote));
  }
  if (fdatasync(fd) != 0) return ErrnoStatus(errno, "cannot write", path);
  return absl::OkStatus();
}

}  // namespace

Ledger::Ledger(std::string path, ScopedFd fd, uint64_t next, Clock& clock)
    : path_(std::move(path)), clock_(clock), fd_(std::move(fd)), next_(next) {}

absl::StatusOr<std::unique_ptr<Ledger>> Ledger::Open(const std::string& path,
                                                     Clock& clock) {
  ScopedFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (fd.get() < 0) return ErrnoStatus(errno, "cannot open", path);
  HILUM_ASSIGN_OR_RETURN(std::string content, ReadFile(path));
  size_t whole = content.rfind('\n');
  off_t size = whole == std::string::npos ? 0 : static_cast<off_t>(whole + 1);
  if (ftruncate(fd.get(), size) != 0 ||
      lseek(fd.get(), size, SEEK_SET) != size) {
    return ErrnoStatus(errno, "cannot open", path);
  }
  uint64_t lines = 0;
  for (off_t i = 0; i < size; ++i) {
    lines += content[static_cast<size_t>(i)] == '\n';
  }
  return std::unique_ptr<Ledger>(
      new Ledger(path, std::move(fd), lines + 1, clock));
}

absl::Status Ledger::Append(v1::LedgerEntry entry) {
  absl::MutexLock lock(&mutex_);
  entry.set_sequence(next_);
  entry.set_time(absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", clock_.Now(),
                                  absl::UTCTimeZone()));
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string line;
  if (!google::protobuf::util::MessageToJsonString(entry, &line, options)
           .ok()) {
    return absl::InternalError("a ledger entry cannot be written as JSON");
  }
  line += '\n';
  off_t start = lseek(fd_.get(), 0, SEEK_CUR);
  absl::Status written = WriteLine(fd_.get(), line, path_);
  if (!written.ok()) {
    // Neither half a line nor one that may not be on disk stays.
    if (ftruncate(fd_.get(), start) == 0) lseek(fd_.get(), start, SEEK_SET);
    return written;
  }
  ++next_;
  return absl::OkStatus();
}

}  // namespace hilum
