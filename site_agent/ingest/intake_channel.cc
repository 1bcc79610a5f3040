// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/intake_channel.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

absl::Status Gone() {
  return absl::UnavailableError(
      "the process that decodes has ended; start hilum-ingest again, what was "
      "not acknowledged comes again");
}

}  // namespace

absl::Status SendIntakeMessage(int socket, absl::string_view text, int fd) {
  iovec piece = {const_cast<char*>(text.data()),
                 std::min(text.size(), kMaxIntakeMessage)};
  msghdr message = {};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (fd >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(head), &fd, sizeof fd);
  }
  ssize_t sent;
  do {
    sent = sendmsg(socket, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? Gone() : absl::OkStatus();
}

absl::StatusOr<IntakeMessage> ReceiveIntakeMessage(int socket) {
  char text[kMaxIntakeMessage];
  iovec piece = {text, sizeof text};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t got;
  do {
    got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return Gone();
  IntakeMessage out{std::string(text, static_cast<size_t>(got)), ScopedFd()};
  const cmsghdr* head = CMSG_FIRSTHDR(&message);
  if (head != nullptr && head->cmsg_type == SCM_RIGHTS &&
      head->cmsg_len == CMSG_LEN(sizeof(int))) {
    int fd;
    std::memcpy(&fd, CMSG_DATA(head), sizeof fd);
    out.fd = ScopedFd(fd);
  }
  return out;
}

absl::StatusOr<std::pair<ScopedFd, ScopedFd>> MakeIntakeSockets() {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) {
    return absl::UnavailableError(
        absl::StrCat("no socket pair: ", std::strerror(errno)));
  }
  return std::make_pair(ScopedFd(fds[0]), ScopedFd(fds[1]));
}

absl::StatusOr<std::string> IntakeChannel::Ask(absl::string_view question) {
  HILUM_RETURN_IF_ERROR(SendIntakeMessage(socket_.get(), question));
  HILUM_ASSIGN_OR_RETURN(IntakeMessage answer,
                         ReceiveIntakeMessage(socket_.get()));
  if (answer.text.empty()) return Gone();
  return std::move(answer.text);
}

absl::StatusOr<IntakeAnswer> IntakeChannel::Take(absl::string_view name) {
  HILUM_ASSIGN_OR_RETURN(const std::string text,
                         Ask(absl::StrCat("take ", name)));
  absl::string_view rest = text;
  using Kind = IntakeAnswer::Kind;
  if (rest == "committed") return IntakeAnswer{Kind::kCommitted, ""};
  Kind kind = Kind::kError;
  if (absl::ConsumePrefix(&rest, "refused ")) {
    kind = Kind::kRefused;
  } else if (absl::ConsumePrefix(&rest, "full ")) {
    kind = Kind::kFull;
  } else {
    absl::ConsumePrefix(&rest, "error ");
  }
  return IntakeAnswer{kind, std::string(rest)};
}

absl::StatusOr<bool> IntakeChannel::IsKnown(absl::string_view sop_instance) {
  HILUM_ASSIGN_OR_RETURN(const std::string text,
                         Ask(absl::StrCat("known ", sop_instance)));
  if (text == "yes") return true;
  if (text == "no") return false;
  return absl::InternalError(text);
}

}  // namespace hilum
