// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/service/trainer_output.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/printable.h"

namespace hilum {
namespace {

constexpr size_t kBlock = 4096;
constexpr int kReadsAtOnce = 64;  // more than a pipe holds

}  // namespace

absl::StatusOr<std::unique_ptr<TrainerOutputLog>> TrainerOutputLog::Start(
    ScopedFd from, int pid, std::function<void(absl::string_view)> log) {
  int ends[2];
  if (fcntl(from.get(), F_SETFL, O_NONBLOCK) != 0 ||
      pipe2(ends, O_CLOEXEC) != 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot read what the trainer says: errno ", errno));
  }
  std::unique_ptr<TrainerOutputLog> reader(
      new TrainerOutputLog(std::move(from), pid, std::move(log)));
  reader->ended_ = ScopedFd(ends[0]);
  reader->end_ = ScopedFd(ends[1]);
  try {
    reader->thread_ = std::thread([r = reader.get()] { r->Loop(); });
  } catch (const std::system_error& error) {
    return absl::UnavailableError(
        absl::StrCat("no thread to read what the trainer says: ",
                     std::string(error.what())));
  }
  return reader;
}

TrainerOutputLog::~TrainerOutputLog() {
  end_.Close();
  if (thread_.joinable()) thread_.join();
}

void TrainerOutputLog::Loop() {
  for (;;) {
    pollfd ready[] = {{.fd = from_.get(), .events = POLLIN, .revents = 0},
                      {.fd = ended_.get(), .events = POLLIN, .revents = 0}};
    if (poll(ready, 2, -1) < 0 && errno != EINTR) break;
    for (int i = 0; i < kReadsAtOnce && ReadSome(); ++i) {
    }
    if (ready[1].revents != 0 || (ready[0].revents & POLLHUP) != 0) break;
  }
  if (!line_.empty()) EndLine();
}

bool TrainerOutputLog::ReadSome() {
  char bytes[kBlock];
  const ssize_t got = read(from_.get(), bytes, sizeof(bytes));
  if (got < 0 && errno == EINTR) return true;
  if (got <= 0) return false;
  Take(absl::string_view(bytes, static_cast<size_t>(got)));
  return true;
}

void TrainerOutputLog::Take(absl::string_view bytes) {
  for (const char c : bytes) {
    if (c == '\n') {
      EndLine();
    } else if (line_.size() <= kLongestLine) {
      line_.push_back(c);
    }
  }
}

void TrainerOutputLog::EndLine() {
  if (++lines_ <= kMostLines) {
    log_(absl::StrCat("trainer ", pid_, ": ",
                      PrintableLine(line_, kLongestLine)));
  } else if (lines_ == kMostLines + 1) {
    log_(absl::StrCat("trainer ", pid_, ": has written ", kMostLines,
                      " lines; the further ones are left out"));
  }
  line_.clear();
}

}  // namespace hilum
