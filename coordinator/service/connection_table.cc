// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/connection_table.h"

#include <algorithm>

namespace hilum {
namespace {

constexpr size_t kShares = 16;  // an address may have one of all connections
constexpr size_t kLeastShare = 2;

}  // namespace

bool ConnectionTable::Add(uint64_t id, const std::string& address,
                          absl::Time now, std::vector<Cut>& cuts) {
  auto own = unnamed_.find(address);
  if (own != unnamed_.end() && own->second.size() >= limits_.per_address) {
    CutOldest(own->second, Why::kAddressIsFull, cuts);
  }
  if (connections_.size() >= limits_.in_all && !CutOfAll(cuts)) return false;
  Connection& connection = connections_[id];
  connection.address = address;
  unnamed_[address].silent.insert(id);
  all_unnamed_.silent.insert(id);
  SetDeadline(id, connection, now + limits_.hello);
  return true;
}

void ConnectionTable::HandOver(uint64_t id, absl::Time now) {
  auto found = connections_.find(id);
  if (found == connections_.end() || found->second.handed_over) return;
  Connection& connection = found->second;
  connection.handed_over = true;
  for (Unnamed* unnamed : {&unnamed_[connection.address], &all_unnamed_}) {
    unnamed->silent.erase(id);
    unnamed->handed_over.insert(id);
  }
  SetDeadline(id, connection, now + limits_.first_call);
}

void ConnectionTable::Name(uint64_t id, const std::string& site,
                           std::vector<Cut>& cuts) {
  auto found = connections_.find(id);
  if (found == connections_.end()) return;
  Connection& connection = found->second;
  connection.last_call = ++calls_;
  if (!connection.site.empty()) return;
  std::set<uint64_t>& own = sites_[site];
  if (own.size() >= limits_.per_site) {
    const uint64_t idlest =
        *std::min_element(own.begin(), own.end(), [&](uint64_t a, uint64_t b) {
          return connections_.at(a).last_call < connections_.at(b).last_call;
        });
    CutId(idlest, Why::kSiteIsFull, cuts);
  }
  ForgetUnnamed(id, connection);
  connection.site = site;
  sites_[site].insert(id);
  SetDeadline(id, connection, absl::InfiniteFuture());
}

void ConnectionTable::Remove(uint64_t id) {
  auto found = connections_.find(id);
  if (found == connections_.end()) return;
  Connection& connection = found->second;
  SetDeadline(id, connection, absl::InfiniteFuture());
  ForgetUnnamed(id, connection);
  auto site = sites_.find(connection.site);
  if (site != sites_.end()) {
    site->second.erase(id);
    if (site->second.empty()) sites_.erase(site);
  }
  connections_.erase(found);
}

std::vector<ConnectionTable::Cut> ConnectionTable::TakeLate(absl::Time now) {
  std::vector<Cut> late;
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const uint64_t id = deadlines_.begin()->second;
    CutId(id, connections_.at(id).handed_over ? Why::kNoCall : Why::kNoHello,
          late);
  }
  return late;
}

std::string ConnectionTable::AddressOf(uint64_t id) const {
  auto found = connections_.find(id);
  return found == connections_.end() ? "" : found->second.address;
}

absl::Time ConnectionTable::NextDeadline() const {
  return deadlines_.empty() ? absl::InfiniteFuture()
                            : deadlines_.begin()->first;
}

void ConnectionTable::CutId(uint64_t id, Why why, std::vector<Cut>& cuts) {
  cuts.push_back({id, connections_.at(id).address, why});
  Remove(id);
}

void ConnectionTable::CutOldest(const Unnamed& unnamed, Why why,
                                std::vector<Cut>& cuts) {
  const std::set<uint64_t>& from =
      unnamed.silent.empty() ? unnamed.handed_over : unnamed.silent;
  CutId(*from.begin(), why, cuts);
}

bool ConnectionTable::CutOfAll(std::vector<Cut>& cuts) {
  auto fullest = std::max_element(unnamed_.begin(), unnamed_.end(),
                                  [](const auto& a, const auto& b) {
                                    return a.second.size() < b.second.size();
                                  });
  if (fullest == unnamed_.end()) return false;
  const size_t share = std::max(limits_.in_all / kShares, kLeastShare);
  if (fullest->second.size() > share) {
    CutOldest(fullest->second, Why::kAllIsFull, cuts);
    return true;
  }
  const auto& [silent, handed_over] = all_unnamed_;
  CutId(*(silent.size() >= handed_over.size() ? silent : handed_over).begin(),
        Why::kAllIsFull, cuts);
  return true;
}

void ConnectionTable::SetDeadline(uint64_t id, Connection& connection,
                                  absl::Time deadline) {
  deadlines_.erase({connection.deadline, id});
  connection.deadline = deadline;
  if (deadline != absl::InfiniteFuture()) deadlines_.insert({deadline, id});
}

void ConnectionTable::ForgetUnnamed(uint64_t id, const Connection& connection) {
  auto unnamed = unnamed_.find(connection.address);
  if (unnamed == unnamed_.end()) return;
  for (Unnamed* ids : {&unnamed->second, &all_unnamed_}) {
    ids->silent.erase(id);
    ids->handed_over.erase(id);
  }
  if (unnamed->second.size() == 0) unnamed_.erase(unnamed);
}

}  // namespace hilum
