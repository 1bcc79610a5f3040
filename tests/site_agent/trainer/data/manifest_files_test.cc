// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/manifest_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "common/base/file.h"

namespace hilum {
namespace {

namespace fs = std::filesystem;
using testing::UnorderedElementsAre;

class ManifestFilesTest : public testing::Test {
 protected:
  ManifestFilesTest() {
    std::string name = testing::TempDir() + "/manifest-files-XXXXXX";
    folder_ = fs::canonical(mkdtemp(name.data())).string();
    fs::create_directories(folder_ + "/images");
    fs::create_directories(folder_ + "/state/approvals");
    fs::create_directories(folder_ + "/elsewhere");
  }
  ~ManifestFilesTest() override { fs::remove_all(folder_); }

  std::vector<std::string> Files(const std::string& text,
                                 const std::vector<std::string>& guarded = {}) {
    const std::string manifest = folder_ + "/cases.csv";
    EXPECT_TRUE(WriteFileAtomically(manifest, text, Durability::kNone).ok());
    std::vector<std::string> files = FilesOfManifest(manifest, guarded);
    EXPECT_EQ(files.back(), manifest);
    files.pop_back();
    return files;
  }

  std::string folder_;
};

TEST_F(ManifestFilesTest, FoldersOfImagesAndMasksAreOpened) {
  EXPECT_THAT(Files("file,label,mask\nimages/1.png,x,masks/1.png\n"
                    "images/2.png,x,\n"),
              UnorderedElementsAre(folder_ + "/images", folder_ + "/masks"));
}

TEST_F(ManifestFilesTest, OtherColumnsNameNoFiles) {
  EXPECT_THAT(Files("file,label,view\nimages/1.png,x,/etc/passwd\n"),
              UnorderedElementsAre(folder_ + "/images"));
}

TEST_F(ManifestFilesTest, WhereALinkLeadsIsOpenedToo) {
  fs::create_symlink(folder_ + "/elsewhere/1.png", folder_ + "/images/1.png");
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/elsewhere/1.png", "x").ok());
  EXPECT_THAT(Files("file\nimages/1.png\n"),
              UnorderedElementsAre(folder_ + "/elsewhere"));
}

TEST_F(ManifestFilesTest, OfACaseStoreTheShardsAreOpenedAndNotItsKey) {
  EXPECT_THAT(Files("file\nstore#0123456789abcdef\n"),
              UnorderedElementsAre(folder_ + "/store/shards"));
}

TEST_F(ManifestFilesTest, AFolderThatHoldsWhatIsGuardedIsNotOpenedWhole) {
  EXPECT_THAT(Files("file\nstate/1.png\nimages/2.png\n/3.png\n",
                    {folder_ + "/state/approvals"}),
              UnorderedElementsAre(folder_ + "/state/1.png",
                                   folder_ + "/images", "/3.png"));
}

TEST_F(ManifestFilesTest, WhatIsGuardedIsNotAnImage) {
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/state/site.key", "x").ok());
  fs::create_symlink(folder_ + "/state/site.key", folder_ + "/images/1.png");
  EXPECT_THAT(
      Files("file\nstate/approvals/ab.approved\nimages/1.png\n"
            "state/site.key\n",
            {folder_ + "/state/approvals", folder_ + "/state/site.key"}),
      testing::IsEmpty());
}

TEST_F(ManifestFilesTest, AManifestThatIsNotThereGivesItselfAlone) {
  EXPECT_THAT(FilesOfManifest(folder_ + "/none.csv", {}),
              testing::ElementsAre(folder_ + "/none.csv"));
}

}  // namespace
}  // namespace hilum
