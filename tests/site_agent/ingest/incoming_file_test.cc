// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/incoming_file.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "site_agent/imaging/dicom/decode_dicom.h"
#include "site_agent/imaging/image.h"
#include "tests/site_agent/ingest/folder_fixture.h"

namespace hilum {
namespace {

constexpr char kClass[] = "1.2.840.10008.5.1.4.1.1.1";
constexpr char kExplicit[] = "1.2.840.10008.1.2.1";

class IncomingFileTest : public FolderTest {
 protected:
  std::string Incoming() const { return absl::StrCat(root_, "/in"); }
  absl::StatusOr<IncomingFile> Create(const std::string& uid) {
    return IncomingFile::Create(Incoming(), {kClass, uid, kExplicit});
  }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(Incoming())) {
      names.push_back(entry.path().filename());
    }
    return names;
  }
};

TEST_F(IncomingFileTest, WhatIsWrittenInPiecesIsADicomFile) {
  auto file = Create("1.2.3.3");
  ASSERT_TRUE(file.ok()) << file.status();
  const std::string bytes = Film(3, "P1").DataSet();
  ASSERT_TRUE(file->Append(bytes.substr(0, 100)).ok());
  ASSERT_TRUE(file->Append(bytes.substr(100)).ok());
  const std::string name = file->Finish().value();
  EXPECT_EQ(Names(), std::vector<std::string>{name});
  EXPECT_EQ(UidOfIncomingName(name), "1.2.3.3");
  const std::string path = absl::StrCat(Incoming(), "/", name);
  const std::string written = ReadFile(path).value();
  auto read = DecodeDicom(written), wanted = DecodeDicom(Film(3, "P1").File());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->pixels, wanted->pixels);
  EXPECT_EQ(ReadDicomFile(written)->elements.Text(0x00080018), "1.2.3.3");
  struct stat info;
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(IncomingFileTest, UntilItIsFinishedNobodyTakesItForWhole) {
  {
    auto file = Create("1.2.3.3");
    ASSERT_TRUE(file.ok());
    ASSERT_EQ(Names().size(), 1u);
    EXPECT_TRUE(absl::EndsWith(Names()[0], ".part"));
    IncomingFile moved = *std::move(file);
    EXPECT_TRUE(moved.Append("x").ok());
  }
  EXPECT_TRUE(Names().empty());
}

TEST_F(IncomingFileTest, TheSameObjectTwiceIsTwoFiles) {
  auto one = Create("1.2.3.3"), two = Create("1.2.3.3");
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_NE(one->Finish().value(), two->Finish().value());
  EXPECT_EQ(Names().size(), 2u);
}

TEST_F(IncomingFileTest, AUidNeverLeadsOutOfTheFolder) {
  for (const char* none : {"", "1.2\n", " 1.2", "1.2\\1.3"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Create(none).status())) << none;
  }
  auto file = Create("../../x");
  ASSERT_TRUE(file.ok()) << file.status();
  const std::string name = file->Finish().value();
  EXPECT_EQ(name.find('/'), std::string::npos);
  EXPECT_EQ(UidOfIncomingName(name), "../../x");
  EXPECT_EQ(Names(), std::vector<std::string>{name});
}

TEST_F(IncomingFileTest, MoreThanAnImageMayHaveIsOutOfRange) {
  auto file = Create("1.2.3.3");
  ASSERT_TRUE(file.ok());
  // Pages that nobody reads, as the length is refused.
  void* pages = mmap(nullptr, kMaxImageFileBytes, PROT_READ,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  EXPECT_TRUE(absl::IsOutOfRange(file->Append(
      absl::string_view(static_cast<char*>(pages), kMaxImageFileBytes))));
  munmap(pages, kMaxImageFileBytes);
}

}  // namespace
}  // namespace hilum
