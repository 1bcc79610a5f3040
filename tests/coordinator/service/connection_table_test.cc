// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/connection_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

using Cut = ConnectionTable::Cut;
using Why = ConnectionTable::Why;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

class ConnectionTableTest : public testing::Test {
 protected:
  std::vector<std::pair<uint64_t, Why>> Plain(const std::vector<Cut>& cuts) {
    std::vector<std::pair<uint64_t, Why>> plain;
    for (const Cut& cut : cuts) plain.emplace_back(cut.id, cut.why);
    return plain;
  }
  std::vector<std::pair<uint64_t, Why>> Add(uint64_t id,
                                            const std::string& address) {
    std::vector<Cut> cuts;
    taken_in_ = table_.Add(id, address, kNow, cuts);
    return Plain(cuts);
  }
  std::vector<std::pair<uint64_t, Why>> Name(uint64_t id,
                                             const std::string& site) {
    std::vector<Cut> cuts;
    table_.Name(id, site, cuts);
    return Plain(cuts);
  }

  ConnectionTable table_{{.in_all = 6,
                          .per_address = 3,
                          .per_site = 2,
                          .hello = absl::Seconds(10),
                          .first_call = absl::Seconds(30)}};
  bool taken_in_ = false;
};

TEST_F(ConnectionTableTest, AFullAddressGivesUpItsOldestSilentConnection) {
  Add(1, "x");
  Add(2, "x");
  Add(3, "x");
  Add(4, "y");
  table_.HandOver(1, kNow);
  EXPECT_THAT(Add(5, "x"), ElementsAre(Pair(2, Why::kAddressIsFull)));
  EXPECT_EQ(table_.size(), 4u);
}

TEST_F(ConnectionTableTest, WhenAllIsFullTheAddressWithTheMostGivesWay) {
  for (uint64_t id : {1, 2, 3}) Add(id, "flood");
  Add(4, "hospital");
  Add(5, "flood-2");
  Add(6, "flood-2");
  EXPECT_THAT(Add(7, "other hospital"), ElementsAre(Pair(1, Why::kAllIsFull)));
  EXPECT_TRUE(taken_in_);
}

// The flood comes from many addresses, with one connection each.
TEST_F(ConnectionTableTest, AHandshakeIsNotPushedOutBySilentStrangers) {
  ConnectionTable table({.in_all = 2000});
  std::vector<Cut> cuts;
  ASSERT_TRUE(table.Add(1, "10.0.0.1", kNow, cuts));
  table.HandOver(1, kNow);
  for (uint64_t id = 2; id <= 6000; ++id) {
    ASSERT_TRUE(table.Add(id, absl::StrCat("2a0", id), kNow, cuts));
  }
  EXPECT_EQ(cuts.size(), 4000u);
  EXPECT_EQ(table.AddressOf(1), "10.0.0.1");
}

TEST_F(ConnectionTableTest, OfManyAddressesTheOldestGivesWayWhateverItsName) {
  ConnectionTable table({.in_all = 2000});
  std::vector<Cut> cuts;
  for (uint64_t id = 1; id <= 2000; ++id) {
    ASSERT_TRUE(table.Add(id, absl::StrCat("b", id), kNow, cuts));
  }
  ASSERT_TRUE(table.Add(2001, "a", kNow, cuts));
  ASSERT_TRUE(table.Add(2002, "c", kNow, cuts));
  EXPECT_THAT(Plain(cuts),
              ElementsAre(Pair(1, Why::kAllIsFull), Pair(2, Why::kAllIsFull)));
}

// ClientHellos that fill the table give way, the oldest first.
TEST_F(ConnectionTableTest, ASilentNewcomerIsNotPushedOutByHandshakes) {
  ConnectionTable table({.in_all = 2000});
  std::vector<Cut> cuts;
  for (uint64_t id = 1; id < 2000; ++id) {
    ASSERT_TRUE(table.Add(id, absl::StrCat("b", id), kNow, cuts));
    table.HandOver(id, kNow);
  }
  ASSERT_TRUE(table.Add(2000, "a", kNow, cuts));
  for (uint64_t id = 2001; id < 2500; ++id) {
    ASSERT_TRUE(table.Add(id, absl::StrCat("b", id), kNow, cuts));
    table.HandOver(id, kNow);
  }
  EXPECT_EQ(table.AddressOf(2000), "a");
}

TEST_F(ConnectionTableTest, HospitalsBehindOneAddressAreNoFlood) {
  ConnectionTable table({.in_all = 2000});
  std::vector<Cut> cuts;
  for (uint64_t id = 1; id <= 1950; ++id) {
    ASSERT_TRUE(table.Add(id, absl::StrCat("b", id), kNow, cuts));
  }
  for (uint64_t id = 1951; id <= 2000; ++id) {
    ASSERT_TRUE(table.Add(id, "hospitals", kNow, cuts));
  }
  for (uint64_t id = 2001; id <= 3000; ++id) {
    ASSERT_TRUE(table.Add(id, absl::StrCat("b", id), kNow, cuts));
  }
  for (const Cut& cut : cuts) EXPECT_NE(cut.address, "hospitals") << cut.id;
}

TEST_F(ConnectionTableTest, ANamedConnectionDoesNotGiveWayToStrangers) {
  for (uint64_t id : {1, 2}) Add(id, "x");
  Name(1, "a");
  for (uint64_t id = 3; id < 100; ++id) Add(id, "x");
  EXPECT_EQ(table_.AddressOf(1), "x");
  EXPECT_EQ(table_.AddressOf(2), "");
  EXPECT_EQ(table_.size(), 4u);
}

TEST_F(ConnectionTableTest, NamedConnectionsDoNotCountForTheirAddress) {
  for (uint64_t id : {1, 2, 3, 4}) {
    EXPECT_THAT(Add(id, "hospitals behind one address"), IsEmpty());
    Name(id, id < 3 ? "a" : "b");
  }
  EXPECT_THAT(Add(5, "hospitals behind one address"), IsEmpty());
}

TEST_F(ConnectionTableTest, NothingIsTakenInWhereAllAreNamed) {
  for (uint64_t id = 1; id <= 6; ++id) {
    Add(id, "x");
    Name(id, id < 3 ? "a" : id < 5 ? "b" : "c");
  }
  EXPECT_THAT(Add(7, "x"), IsEmpty());
  EXPECT_FALSE(taken_in_);
}

TEST_F(ConnectionTableTest, ASitesThirdConnectionReplacesTheIdlestOfItsOwn) {
  for (uint64_t id : {1, 2, 3}) {
    Add(id, "x");
    if (id < 3) Name(id, "a");
  }
  Add(4, "y");
  Name(4, "b");
  Name(1, "a");  // another call
  EXPECT_THAT(Name(3, "a"), ElementsAre(Pair(2, Why::kSiteIsFull)));
  EXPECT_EQ(table_.AddressOf(4), "y");
}

TEST_F(ConnectionTableTest, SilentOnesAndThoseWithoutACallHaveADeadline) {
  for (uint64_t id : {1, 2, 3}) Add(id, "x");
  table_.HandOver(2, kNow + absl::Seconds(1));
  table_.HandOver(3, kNow + absl::Seconds(1));
  Name(3, "a");
  EXPECT_EQ(table_.NextDeadline(), kNow + absl::Seconds(10));
  EXPECT_THAT(Plain(table_.TakeLate(kNow + absl::Seconds(9))), IsEmpty());
  EXPECT_THAT(Plain(table_.TakeLate(kNow + absl::Seconds(10))),
              ElementsAre(Pair(1, Why::kNoHello)));
  EXPECT_THAT(Plain(table_.TakeLate(kNow + absl::Seconds(31))),
              ElementsAre(Pair(2, Why::kNoCall)));
  EXPECT_EQ(table_.NextDeadline(), absl::InfiniteFuture());
  EXPECT_EQ(table_.size(), 1u);
}

TEST_F(ConnectionTableTest, ClosedConnectionsLeaveRoom) {
  for (uint64_t id = 1; id < 1000; ++id) {
    EXPECT_THAT(Add(id, "x"), IsEmpty()) << id;
    table_.HandOver(id, kNow);
    if (id % 2 == 0) {
      EXPECT_THAT(Name(id, "a"), IsEmpty()) << id;
    }
    table_.Remove(id);
  }
  EXPECT_EQ(table_.size(), 0u);
  EXPECT_EQ(table_.NextDeadline(), absl::InfiniteFuture());
}

}  // namespace
}  // namespace hilum
