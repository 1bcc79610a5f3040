// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/case_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "tests/site_agent/trainer/case_store_maker.h"

namespace hilum {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr char kMasked[] = "fedcba9876543210";
constexpr char kBare[] = "0123456789abcdef";

class CaseListTest : public testing::Test {
 protected:
  CaseListTest() {
    std::filesystem::remove_all(folder_);
    EXPECT_TRUE(MakeDirectories(folder_).ok());
    MakeCaseStore(Path("store"), {{kBare, false}, {kMasked, true}});
  }
  ~CaseListTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const {
    return absl::StrCat(folder_, "/", name);
  }
  void Write(const std::string& name, const std::string& text) const {
    EXPECT_TRUE(WriteFileAtomically(Path(name), text, Durability::kNone).ok());
  }
  std::string Error(const std::vector<std::string>& data) const {
    return std::string(ListCases(data).status().message());
  }

  const std::string folder_ = (std::filesystem::path(testing::TempDir()) /
                               absl::StrCat("case-list-", getpid()))
                                  .string();
};

TEST_F(CaseListTest, AManifestNeedsNoLabelsAndNoPatients) {
  Write("cases.csv", "File;mask\nimages/1.png;m/1.png\nimages/2.png;\n");
  const auto cases = ListCases({Path("cases.csv")});
  ASSERT_TRUE(cases.ok()) << cases.status();
  ASSERT_THAT(*cases, SizeIs(2));
  EXPECT_EQ((*cases)[0].id, "images/1.png");
  EXPECT_EQ((*cases)[0].row.path, Path("images/1.png"));
  EXPECT_EQ((*cases)[0].row.mask, Path("m/1.png"));
  EXPECT_EQ((*cases)[1].row.mask, "");
  EXPECT_THAT(FilesOfData({Path("cases.csv")}),
              testing::Contains(Path("images")));
}

TEST_F(CaseListTest, AStoreListsItsCasesWithTheirMasks) {
  const auto cases = ListCases({Path("store")});
  ASSERT_TRUE(cases.ok()) << cases.status();
  ASSERT_THAT(*cases, SizeIs(2));
  EXPECT_EQ((*cases)[0].id, kBare);
  EXPECT_EQ((*cases)[0].row.mask, "");
  EXPECT_EQ((*cases)[1].id, kMasked);
  EXPECT_EQ((*cases)[1].row.mask, (*cases)[1].row.path);
  EXPECT_THAT(FilesOfData({Path("store")}),
              ElementsAre(Path("store/shards"), Path("store/quarantine.csv")));
}

TEST_F(CaseListTest, QuarantinedCasesAreHeldWithTheirReasonButNotTheirFile) {
  Write("store/quarantine.csv",
        absl::StrCat("id,what,reason,file\n", kBare,
                     ",case,it looks turned,/scans/Doe^Jane.dcm\n"));
  const auto cases = ListCases({Path("store")});
  ASSERT_TRUE(cases.ok()) << cases.status();
  EXPECT_EQ((*cases)[0].held_reason,
            "quarantined in the store: it looks turned");
  EXPECT_FALSE((*cases)[0].bad_row);
  EXPECT_EQ((*cases)[1].held_reason, "");
}

TEST_F(CaseListTest, AnEntryOfAManifestIsKnownByItsCase) {
  Write("store/cases.csv", absl::StrCat("file,mask\n.#", kMasked, ",\n"));
  const auto cases = ListCases({Path("store/cases.csv")});
  ASSERT_TRUE(cases.ok()) << cases.status();
  EXPECT_EQ((*cases)[0].id, kMasked);
  EXPECT_EQ((*cases)[0].file, absl::StrCat(".#", kMasked));
}

TEST_F(CaseListTest, RowsThatNameNoImageAreKeptAsFaults) {
  Write("cases.csv", "file,view\na.png,AP\n,PA\nb.png\n");
  const auto cases = ListCases({Path("cases.csv")});
  ASSERT_TRUE(cases.ok()) << cases.status();
  ASSERT_THAT(*cases, SizeIs(3));
  EXPECT_EQ((*cases)[1].id, "row 3");
  EXPECT_TRUE((*cases)[1].bad_row);
  EXPECT_EQ((*cases)[1].held_reason, "no file");
  EXPECT_THAT((*cases)[2].held_reason, HasSubstr("fields"));
}

TEST_F(CaseListTest, WhatCannotBeListedIsNamed) {
  Write("empty.csv", "file,label\n");
  EXPECT_THAT(Error({Path("empty.csv")}), HasSubstr("lists no case"));
  Write("other.csv", "image\na.png\n");
  EXPECT_THAT(Error({Path("other.csv")}), HasSubstr("no column 'file'"));
  EXPECT_THAT(Error({folder_}), HasSubstr("a folder that is no case store"));
  EXPECT_THAT(Error({"a.png", "b.png", "a.png"}),
              AllOf(HasSubstr("a.png"), HasSubstr("listed twice")));
}

}  // namespace
}  // namespace hilum
