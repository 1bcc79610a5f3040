// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/confine_ingest.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "site_agent/sandbox/landlock.h"
#include "tests/site_agent/ingest/folder_fixture.h"

namespace hilum {
namespace {

class ConfineIngestTest : public FolderTest {
 protected:
  // The number of the check that failed in a child that confined itself to
  // these files; 100: it could not. 0: none.
  template <typename Check>
  int Confined(const IngestFiles& files, const Check& check) {
    const pid_t child = fork();
    if (child == 0) {
      _exit(ConfineIngest(files, RealSecureRng()).ok() ? check() : 100);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  IngestFiles Files() const {
    return {.store = options_.store,
            .key_file = {},
            .read = {options_.folder},
            .write = {absl::StrCat(root_, "/incoming")}};
  }
};

bool Opens(const std::string& path, int flags) {
  const ScopedFd fd(open(path.c_str(), flags | O_CLOEXEC, 0600));
  return fd.get() >= 0;
}

TEST_F(ConfineIngestTest, ItReadsTheFolderAndWritesTheStoreAlone) {
  const std::string film = Put("in/1.dcm", "x");
  const std::string secret = Put("secret", "x");
  EXPECT_EQ(Confined(Files(),
                     [&] {
                       if (!Opens(film, O_RDONLY)) return 1;
                       for (const std::string& folder :
                            {options_.store, root_ + "/incoming"}) {
                         if (!Opens(folder + "/new", O_WRONLY | O_CREAT)) {
                           return 2;
                         }
                       }
                       if (LandlockVersion() == 0) return 0;
                       if (Opens(secret, O_RDONLY)) return 3;
                       return Opens(film, O_WRONLY) ? 4 : 0;
                     }),
            0);
  EXPECT_TRUE(fs::is_directory(options_.store));
}

TEST_F(ConfineIngestTest, AKeyOutsideTheStoreIsMadeBeforeAndReadAfter) {
  IngestFiles files = Files();
  files.key_file = absl::StrCat(root_, "/site.key");
  EXPECT_EQ(
      Confined(files, [&] { return Opens(files.key_file, O_RDONLY) ? 0 : 1; }),
      0);
  struct stat info;
  ASSERT_EQ(stat(files.key_file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

// Its patients would get other names.
TEST_F(ConfineIngestTest, AStoreWhoseKeyIsGoneIsNotGivenAnother) {
  Put("store/store.db", "");
  IngestFiles files = Files();
  files.key_file = absl::StrCat(root_, "/site.key");
  EXPECT_EQ(Confined(files, [] { return 0; }), 0);
  EXPECT_FALSE(fs::exists(files.key_file));
}

TEST_F(ConfineIngestTest, AStoreThatCannotBeMadeIsAnError) {
  IngestFiles files = Files();
  files.store = absl::StrCat(Put("file", "x"), "/store");
  EXPECT_EQ(Confined(files, [] { return 0; }), 100);
}

TEST_F(ConfineIngestTest, AWalksPathsAreItsFolderAndWhereLinksLead) {
  EXPECT_EQ(PathsOf({.folder = "/in", .links = {"/a", "/b"}}),
            (std::vector<std::string>{"/a", "/b", "/in"}));
}

}  // namespace
}  // namespace hilum
