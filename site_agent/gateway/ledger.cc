// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/ledger.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/printable.h"
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

// Evidence that another site cheats contains two signed messages.
constexpr size_t kMaxDetail = 1 << 16;

bool IsRefusal(v1::LedgerEntry::Kind kind) {
  return kind == v1::LedgerEntry::GATE_REFUSED ||
         kind == v1::LedgerEntry::SUM_REFUSED ||
         kind == v1::LedgerEntry::ANSWER_REFUSED;
}

std::string HourText(int64_t hour) {
  return absl::FormatTime("%Y-%m-%dT%H:00Z", absl::FromUnixSeconds(hour * 3600),
                          absl::UTCTimeZone());
}

absl::StatusOr<std::string> JsonLine(const v1::LedgerEntry& entry) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string line;
  if (!google::protobuf::util::MessageToJsonString(entry, &line, options)
           .ok()) {
    return absl::InternalError("a ledger entry cannot be written as JSON");
  }
  return line + '\n';
}

constexpr uint64_t kBlock = 1 << 16;
constexpr uint64_t kLongestLine = 1 << 20;

// Returns the offset of the line that holds the byte at `end` - 1. If that byte
// is a newline, this is `end`: the line begins behind the last newline.
absl::StatusOr<uint64_t> BeginOfLine(int fd, uint64_t end,
                                     const std::string& path) {
  std::string block;
  while (end > 0) {
    block.resize(std::min(end, kBlock));
    const uint64_t first = end - block.size();
    HILUM_RETURN_IF_ERROR(ReadAt(fd, first, block.data(), block.size(), path));
    const size_t newline = block.rfind('\n');
    if (newline != std::string::npos) return first + newline + 1;
    end = first;
  }
  return 0;
}

// Returns the sequence number in the last of the lines that end at `size` or,
// if that line cannot be read, the number of lines.
absl::StatusOr<uint64_t> LastSequence(int fd, uint64_t size,
                                      const std::string& path) {
  if (size == 0) return 0;
  HILUM_ASSIGN_OR_RETURN(const uint64_t first, BeginOfLine(fd, size - 1, path));
  std::string line(std::min(size - first, kLongestLine), '\0');
  HILUM_RETURN_IF_ERROR(ReadAt(fd, first, line.data(), line.size(), path));
  v1::LedgerEntry last;
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;  // of a newer release
  if (google::protobuf::util::JsonStringToMessage(line, &last, options).ok() &&
      last.sequence() > 0) {
    return last.sequence();
  }
  uint64_t lines = 0;
  HILUM_RETURN_IF_ERROR(ReadBlocks(fd, path, [&](absl::string_view block) {
                          lines += static_cast<uint64_t>(
                              std::count(block.begin(), block.end(), '\n'));
                        }).status());
  return lines;
}

}  // namespace

Ledger::Ledger(std::string path, ScopedFd fd, uint64_t next, Clock& clock)
    : path_(std::move(path)), clock_(clock), fd_(std::move(fd)), next_(next) {}

absl::StatusOr<std::unique_ptr<Ledger>> Ledger::Open(const std::string& path,
                                                     Clock& clock) {
  ScopedFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (fd.get() < 0) return ErrnoStatus(errno, "cannot open", path);
  // Reads blocks from the end: the file may hold years.
  struct stat info;
  if (fstat(fd.get(), &info) != 0) {
    return ErrnoStatus(errno, "cannot open", path);
  }
  HILUM_ASSIGN_OR_RETURN(
      const uint64_t size,
      BeginOfLine(fd.get(), static_cast<uint64_t>(info.st_size), path));
  const auto end = static_cast<off_t>(size);
  if (ftruncate(fd.get(), end) != 0) {
    return ErrnoStatus(errno, "cannot open", path);
  }
  HILUM_ASSIGN_OR_RETURN(const uint64_t last,
                         LastSequence(fd.get(), size, path));
  if (lseek(fd.get(), end, SEEK_SET) != end) {
    return ErrnoStatus(errno, "cannot open", path);
  }
  return std::unique_ptr<Ledger>(
      new Ledger(path, std::move(fd), last + 1, clock));
}

Ledger::~Ledger() {
  absl::Status written = Flush();
  (void)written;  // the disk is full, and nothing else can be done
}

absl::Status Ledger::Write(bool all, std::vector<v1::LedgerEntry> entries) {
  std::vector<v1::LedgerEntry> lines = Counts(all);
  lines.insert(lines.end(), entries.begin(), entries.end());
  const std::string now = absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", clock_.Now(),
                                           absl::UTCTimeZone());
  std::string text;
  uint64_t sequence = next_;
  for (v1::LedgerEntry& entry : lines) {
    entry.set_sequence(sequence++);
    entry.set_time(now);
    HILUM_ASSIGN_OR_RETURN(std::string line, JsonLine(entry));
    text += line;
  }
  if (text.empty()) return absl::OkStatus();
  off_t start = lseek(fd_.get(), 0, SEEK_CUR);
  absl::Status written = WriteLine(fd_.get(), text, path_);
  if (!written.ok()) {
    // Removes half a line, and a line that may not be on disk.
    if (ftruncate(fd_.get(), start) == 0) lseek(fd_.get(), start, SEEK_SET);
    return written;
  }
  next_ = sequence;
  for (auto& [key, tally] : tallies_) {
    if (all || std::get<0>(key) == v1::LedgerEntry::CALLED) {
      tally.count = tally.bytes = 0;
    }
  }
  return absl::OkStatus();
}

std::vector<v1::LedgerEntry> Ledger::Counts(bool all) const {
  std::vector<v1::LedgerEntry> entries;
  for (const auto& [key, tally] : tallies_) {
    const auto& [kind, method, study] = key;
    if (tally.count == 0) continue;
    if (!all && kind != v1::LedgerEntry::CALLED) continue;
    v1::LedgerEntry& entry = entries.emplace_back();
    entry.set_kind(static_cast<v1::LedgerEntry::Kind>(kind));
    entry.set_method(method);
    entry.set_study_hash(study);
    entry.set_bytes(tally.bytes);
    entry.set_count(tally.count);
    entry.set_detail(
        absl::StrCat("further ones of the hour from ", HourText(hour_), " on"));
  }
  return entries;
}

absl::Status Ledger::TurnHour() {
  const int64_t hour = absl::ToUnixSeconds(clock_.Now()) / 3600;
  if (hour == hour_) return absl::OkStatus();
  HILUM_RETURN_IF_ERROR(Write(true, {}));
  tallies_.clear();
  hour_ = hour;
  return absl::OkStatus();
}

absl::Status Ledger::Append(v1::LedgerEntry entry) {
  entry.set_detail(Printable(entry.detail(), kMaxDetail));
  absl::MutexLock lock(&mutex_);
  HILUM_RETURN_IF_ERROR(TurnHour());
  if (!IsRefusal(entry.kind())) return Write(false, {entry});
  Tally& tally = tallies_[{entry.kind(), entry.method(), entry.study_hash()}];
  if (tally.lines >= kRefusalLines) {
    ++tally.count;
    return absl::OkStatus();
  }
  HILUM_RETURN_IF_ERROR(Write(false, {entry}));
  ++tally.lines;
  return absl::OkStatus();
}

absl::Status Ledger::CountCall(absl::string_view method,
                               absl::string_view study_hash, uint64_t bytes) {
  absl::MutexLock lock(&mutex_);
  HILUM_RETURN_IF_ERROR(TurnHour());
  Tally& tally = tallies_[{v1::LedgerEntry::CALLED, std::string(method),
                           std::string(study_hash)}];
  if (tally.lines > 0) {
    ++tally.count;
    tally.bytes += bytes;
    return absl::OkStatus();
  }
  v1::LedgerEntry entry;
  entry.set_kind(v1::LedgerEntry::CALLED);
  entry.set_method(std::string(method));
  entry.set_study_hash(std::string(study_hash));
  entry.set_bytes(bytes);
  entry.set_count(1);
  HILUM_RETURN_IF_ERROR(Write(false, {entry}));
  tally.lines = 1;
  return absl::OkStatus();
}

absl::Status Ledger::Flush() {
  absl::MutexLock lock(&mutex_);
  return Write(true, {});
}

}  // namespace hilum
