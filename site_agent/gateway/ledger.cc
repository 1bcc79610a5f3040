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
  size_t done = 0;
  while (done < line.size()) {
    ssize_t wrote = write(fd_.get(), line.data() + done, line.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      int error = errno;
      // No half line may stay in front of the next one.
      if (ftruncate(fd_.get(), start) == 0) lseek(fd_.get(), start, SEEK_SET);
      return ErrnoStatus(error, "cannot write", path_);
    }
    done += static_cast<size_t>(wrote);
  }
  if (fdatasync(fd_.get()) != 0) {
    return ErrnoStatus(errno, "cannot write", path_);
  }
  ++next_;
  return absl::OkStatus();
}

}  // namespace hilum
