// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_SERVICE_CONNECTION_TABLE_H_
#define HILUM_COORDINATOR_SERVICE_CONNECTION_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"

namespace hilum {

// Decides which connections stay when there are too many: the bookkeeping of
// ConnectionGuard, without its sockets. A connection is silent until its first
// bytes are a TLS ClientHello, handed over from then on, and named once a call
// over it has shown a site's certificate. Anybody can make the first two kinds;
// they give way to newer ones and end at a deadline. A named connection gives
// way only to a newer one of its site.
// When all places are taken, these connections give way, so that an honest
// connection survives the moment in which it has no name:
// - from an address that has more than its share (a sixteenth of all): its
//   oldest silent connection, else its oldest;
// - else, from any address, the oldest of the more numerous kind: a flood of
//   silent connections pushes out no handshake, and a flood of ClientHellos no
//   newcomer.
// Ids grow with each connection. Not thread-safe.
class ConnectionTable {
 public:
  struct Limits {
    size_t in_all = 2000;
    size_t per_address = 256;  // without a name
    size_t per_site = 3;
    absl::Duration hello = absl::Seconds(10);       // longest time silent
    absl::Duration first_call = absl::Seconds(30);  // longest time handed over
  };
  enum class Why { kNoHello, kNoCall, kAddressIsFull, kAllIsFull, kSiteIsFull };
  struct Cut {
    uint64_t id;
    std::string address;
    Why why;
  };

  explicit ConnectionTable(const Limits& limits) : limits_(limits) {}

  // Takes in a silent connection and appends the connections that make room for
  // it. false: all connections are named; this one is not taken in.
  bool Add(uint64_t id, const std::string& address, absl::Time now,
           std::vector<Cut>& cuts);
  void HandOver(uint64_t id, absl::Time now);
  // Records a call of `site` over the connection. Appends the connection of the
  // site that makes room: the one with the oldest last call.
  void Name(uint64_t id, const std::string& site, std::vector<Cut>& cuts);
  // Removes a closed connection. Does nothing where the id is unknown.
  void Remove(uint64_t id);
  // Removes and returns the connections whose deadline has come.
  std::vector<Cut> TakeLate(absl::Time now);

  // Returns the address; empty: the id is unknown.
  std::string AddressOf(uint64_t id) const;
  absl::Time NextDeadline() const;
  size_t size() const { return connections_.size(); }
  const Limits& limits() const { return limits_; }

 private:
  struct Connection {
    std::string address;
    std::string site;  // empty: without a name
    bool handed_over = false;
    absl::Time deadline = absl::InfiniteFuture();
    uint64_t last_call = 0;
  };
  // The ids of connections without a name.
  struct Unnamed {
    std::set<uint64_t> silent, handed_over;
    size_t size() const { return silent.size() + handed_over.size(); }
  };

  void CutId(uint64_t id, Why why, std::vector<Cut>& cuts);
  void CutOldest(const Unnamed& unnamed, Why why, std::vector<Cut>& cuts);
  // Cuts the connection that gives way when all places are taken. false: all
  // have a name.
  bool CutOfAll(std::vector<Cut>& cuts);
  void SetDeadline(uint64_t id, Connection& connection, absl::Time deadline);
  void ForgetUnnamed(uint64_t id, const Connection& connection);

  const Limits limits_;
  std::map<uint64_t, Connection> connections_;
  Unnamed all_unnamed_;
  std::map<std::string, Unnamed> unnamed_;  // by address
  std::map<std::string, std::set<uint64_t>> sites_;
  std::set<std::pair<absl::Time, uint64_t>> deadlines_;
  uint64_t calls_ = 0;
};

}  // namespace hilum

#endif  // HILUM_COORDINATOR_SERVICE_CONNECTION_TABLE_H_
