// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/network/waiting_connections.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

namespace hilum {
namespace {

// Bytes that contain the length, and the longest message to wait for.
constexpr size_t kHeaderBytes = 6;
constexpr size_t kMostBytes = 64 << 10;
// Waits for at most this many bytes: the kernel may not hold more.
constexpr size_t kEnoughBytes = 32 << 10;

// Returns the length of the message with this header; 0: no such message.
size_t MessageBytes(const uint8_t (&header)[kHeaderBytes],
                    FirstMessage expected) {
  if (expected == FirstMessage::kTlsRecord) {
    constexpr uint8_t kHandshake = 22;
    if (header[0] != kHandshake || header[1] != 3) return 0;
    return 5u + (size_t{header[3]} << 8 | header[4]);
  }
  constexpr uint8_t kAssociateRequest = 1;
  if (header[0] != kAssociateRequest || header[2] != 0 || header[3] > 1) {
    return 0;
  }
  const size_t bytes = kHeaderBytes + (size_t{header[3]} << 16 |
                                       size_t{header[4]} << 8 | header[5]);
  return bytes > kMostBytes ? 0 : bytes;
}

// Makes poll and read wait for this many bytes, so that a message that comes
// byte by byte does not wake this process.
void WakeAt(int fd, size_t bytes) {
  const int low = static_cast<int>(bytes);
  setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof low);
}

bool HasEnded(int fd) {
  pollfd look = {fd, POLLRDHUP, 0};
  return poll(&look, 1, 0) != 0;
}

// Returns whether `bytes` have arrived, without reading them.
bool Has(int fd, size_t bytes) {
  std::vector<uint8_t> seen(bytes);
  const ssize_t got = recv(fd, seen.data(), bytes, MSG_PEEK | MSG_DONTWAIT);
  return got >= 0 && static_cast<size_t>(got) == bytes;
}

}  // namespace

bool WaitingConnections::HasRoom() const {
  return waiting_.size() < kMaxWaiting ||
         std::any_of(waiting_.begin(), waiting_.end(),
                     [](const Waiting& one) { return !one.ready; });
}

bool WaitingConnections::DropOldestSilent(
    absl::FunctionRef<bool(uint32_t)> of) {
  auto oldest =
      std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiting& one) {
        return !one.ready && of(one.connection.address);
      });
  if (oldest == waiting_.end()) return false;
  waiting_.erase(oldest);
  return true;
}

void WaitingConnections::Add(Connection connection, absl::Time now) {
  const uint32_t address = connection.address;
  const auto here = [address](uint32_t other) { return other == address; };
  const auto of_address = std::count_if(
      waiting_.begin(), waiting_.end(),
      [&](const Waiting& one) { return here(one.connection.address); });
  if (static_cast<size_t>(of_address) >= kMaxWaitingPerAddress &&
      !DropOldestSilent(here)) {
    return;  // all of its address have sent a message: closes this one
  }
  if (waiting_.size() >= kMaxWaiting) {
    DropOldestSilent([](uint32_t) { return true; });
  }
  WakeAt(connection.fd.get(), kHeaderBytes);
  waiting_.push_back({.connection = std::move(connection), .since = now});
}

void WaitingConnections::AppendPolls(std::vector<pollfd>& polls) const {
  for (const Waiting& one : waiting_) {
    if (one.ready) continue;
    polls.push_back({one.connection.fd.get(), POLLIN | POLLRDHUP, 0});
  }
}

WaitingConnections::State WaitingConnections::StateOf(int fd) const {
  uint8_t header[kHeaderBytes];
  const ssize_t got = recv(fd, header, sizeof header, MSG_PEEK | MSG_DONTWAIT);
  if (got < 0 && errno != EAGAIN && errno != EINTR) return State::kEnded;
  if (got == static_cast<ssize_t>(sizeof header)) {
    const size_t bytes = MessageBytes(header, expected_);
    if (bytes == 0) return State::kEnded;
    const size_t enough = std::min(bytes, kEnoughBytes);
    if (Has(fd, enough)) return State::kReady;
    WakeAt(fd, enough);
  }
  return HasEnded(fd) ? State::kEnded : State::kSilent;
}

void WaitingConnections::Look(absl::Time now) {
  for (auto one = waiting_.begin(); one != waiting_.end();) {
    const State state =
        one->ready ? State::kReady : StateOf(one->connection.fd.get());
    one->ready = state == State::kReady;
    const bool over =
        state == State::kSilent && now - one->since > kFirstMessageTime;
    one = state == State::kEnded || over ? waiting_.erase(one) : std::next(one);
  }
}

std::optional<WaitingConnections::Connection> WaitingConnections::Take(
    absl::FunctionRef<bool(uint32_t)> may) {
  auto first =
      std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiting& one) {
        return one.ready && may(one.connection.address);
      });
  if (first == waiting_.end()) return std::nullopt;
  Connection taken = std::move(first->connection);
  waiting_.erase(first);
  WakeAt(taken.fd.get(), 1);
  return taken;
}

}  // namespace hilum
