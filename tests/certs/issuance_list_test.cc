// SPDX-License-Identifier: Apache-2.0
#include "certs/issuance_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"

namespace hilum {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class IssuanceListTest : public testing::Test {
 protected:
  IssuanceListTest()
      : path_(absl::StrCat(testing::TempDir(), "/issued-", getpid(), ".csv")) {
    EXPECT_TRUE(IssuanceList::Make(path_).ok());
  }
  ~IssuanceListTest() override { std::filesystem::remove(path_); }

  void Issue(const std::string& name, const std::string& key,
             const std::string& kind = "new") {
    auto list = IssuanceList::Open(path_);
    ASSERT_TRUE(list.ok()) << list.status();
    ASSERT_TRUE(list->Append({.serial = "4f",
                              .name = name,
                              .role = "site",
                              .key = key,
                              .not_after = "2027-01-01T00:00:00Z",
                              .kind = kind})
                    .ok());
  }

  absl::StatusOr<std::string> Kind(const std::string& name,
                                   const std::string& key,
                                   bool replace = false) {
    auto list = IssuanceList::Open(path_);
    if (!list.ok()) return list.status();
    return list->Kind("site", name, key, replace);
  }

  void Put(const std::string& text) {
    ASSERT_TRUE(WriteFileAtomically(path_, text, Durability::kNone, 0600).ok());
  }

  const std::string path_;
};

TEST_F(IssuanceListTest, ANameKeepsItsKeyUnlessToldOtherwise) {
  EXPECT_EQ(Kind("st-mary", "aa").value(), "new");
  Issue("st-mary", "aa");
  EXPECT_EQ(Kind("st-mary", "aa").value(), "renewed");
  const absl::Status other = Kind("st-mary", "bb").status();
  EXPECT_EQ(other.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(other.message()), HasSubstr("aa (serial 4f"));
  EXPECT_EQ(Kind("st-mary", "bb", true).value(), "replaced");
  Issue("st-mary", "bb", "replaced");
  EXPECT_EQ(Kind("st-mary", "bb").value(), "renewed");
  // The replaced key is a stranger's from then on.
  EXPECT_FALSE(Kind("st-mary", "aa").ok());
}

TEST_F(IssuanceListTest, OneKeyHasOneName) {
  Issue("st-mary", "aa");
  const absl::Status second = Kind("st-john", "aa").status();
  EXPECT_EQ(second.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(second.message()), HasSubstr("'st-mary'"));
  EXPECT_FALSE(Kind("st-john", "aa", true).ok());
}

TEST_F(IssuanceListTest, NothingIsReplacedByMistake) {
  EXPECT_FALSE(Kind("st-mary", "aa", true).ok());
  Issue("st-mary", "aa");
  EXPECT_FALSE(Kind("st-mary", "aa", true).ok());
}

TEST_F(IssuanceListTest, ItIsPrivateAndOnlyGrows) {
  Issue("st-mary", "aa");
  const std::string before = ReadFile(path_).value();
  auto list = IssuanceList::Open(path_);
  ASSERT_TRUE(list.ok());
  ASSERT_TRUE(list->Append({.serial = "50",
                            .name = "coordinator",
                            .role = "coordinator",
                            .key = "cc",
                            .hosts = {"a.org", "::1"},
                            .not_after = "2027-01-01T00:00:00Z",
                            .kind = "new"})
                  .ok());
  EXPECT_EQ(ReadFile(path_).value(),
            absl::StrCat(before,
                         "50,coordinator,coordinator,cc,a.org ::1,"
                         "2027-01-01T00:00:00Z,new\n"));
  struct stat info;
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  // Two processes that issue at a time could give a name two keys.
  EXPECT_EQ(IssuanceList::Open(path_).status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_THAT(list->issued()[1].hosts, ElementsAre("a.org", "::1"));
}

TEST_F(IssuanceListTest, AListThatIsNotWholeIsNotTrusted) {
  std::filesystem::remove(path_);
  EXPECT_EQ(Kind("st-mary", "aa").status().code(),
            absl::StatusCode::kFailedPrecondition);
  for (const char* wrong :
       {"4f,st-mary,site,aa,,2027,new", "4f,st-mary\n",
        "4f,st-mary,king,aa,,2027,new\n", "4f,st-mary,site,aa,,2027,old\n",
        "4f,,site,aa,,2027,new\n", "4f,st-mary,site,\"aa,,2027,new\n"}) {
    Put(wrong);
    EXPECT_FALSE(Kind("st-mary", "aa").ok()) << wrong;
  }
  Put("");  // the list of an older authority
  EXPECT_TRUE(Kind("st-mary", "aa").ok());
  ASSERT_EQ(chmod(path_.c_str(), 0644), 0);
  EXPECT_EQ(Kind("st-mary", "aa").status().code(),
            absl::StatusCode::kPermissionDenied);
}

}  // namespace
}  // namespace hilum
