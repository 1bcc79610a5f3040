// SPDX-License-Identifier: Apache-2.0
#include "site_agent/sandbox/landlock.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>

#include "common/base/file.h"
#include "tests/site_agent/sandbox/attempts.h"

namespace hilum {
namespace {

namespace fs = std::filesystem;

int OpenErrno(const std::string& path, int flags) {
  const ScopedFd fd(open(path.c_str(), flags | O_CLOEXEC, 0600));
  return fd.get() < 0 ? errno : 0;
}

class LandlockTest : public testing::Test {
 protected:
  LandlockTest() {
    std::string name = testing::TempDir() + "/landlock-XXXXXX";
    root_ = mkdtemp(name.data());
    for (const char* folder : {"/read", "/write", "/other"}) {
      fs::create_directories(root_ + folder);
      EXPECT_TRUE(WriteFileAtomically(root_ + folder + "/file", "x\n",
                                      Durability::kNone)
                      .ok());
    }
    for (const auto& entry : fs::recursive_directory_iterator(root_)) {
      fs::permissions(entry.path(), fs::perms::all);
    }
    fs::permissions(root_, fs::perms::all);
  }
  ~LandlockTest() override {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }
  void SetUp() override {
    if (LandlockVersion() == 0) {
      GTEST_SKIP() << "this kernel has no Landlock";
    }
  }

  // Returns what `run` gives in a child that is confined so.
  Outcomes Confined(const FileAccess& files,
                    const std::function<Outcomes()>& run,
                    const LandlockScope& scope = {}) {
    return InUsersChild([&]() -> Outcomes {
      // Without it the kernel asks for a privilege.
      prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
      if (!RestrictFiles(files, scope).ok()) return {};
      return run();
    });
  }

  std::string root_;
};

TEST_F(LandlockTest, OnlyWhatIsNamedOpensAndReadMeansRead) {
  EXPECT_EQ(
      Confined({.read = {root_ + "/read"}, .write = {root_ + "/write"}},
               [&]() -> Outcomes {
                 return {
                     {"read", OpenErrno(root_ + "/read/file", O_RDONLY)},
                     {"write read", OpenErrno(root_ + "/read/file", O_WRONLY)},
                     {"make in read",
                      OpenErrno(root_ + "/read/new", O_WRONLY | O_CREAT)},
                     {"write", OpenErrno(root_ + "/write/file", O_WRONLY)},
                     {"make",
                      OpenErrno(root_ + "/write/new", O_WRONLY | O_CREAT)},
                     {"other", OpenErrno(root_ + "/other/file", O_RDONLY)},
                     {"list", OpenErrno(root_, O_RDONLY | O_DIRECTORY)}};
               }),
      (Outcomes{{"read", 0},
                {"write read", EACCES},
                {"make in read", EACCES},
                {"write", 0},
                {"make", 0},
                {"other", EACCES},
                {"list", EACCES}}));
}

TEST_F(LandlockTest, AFileIsGivenWithoutItsNeighbours) {
  ASSERT_TRUE(
      WriteFileAtomically(root_ + "/other/two", "x", Durability::kNone).ok());
  EXPECT_EQ(Confined({.read = {root_ + "/other/file"}},
                     [&]() -> Outcomes {
                       return {
                           {"file", OpenErrno(root_ + "/other/file", O_RDONLY)},
                           {"two", OpenErrno(root_ + "/other/two", O_RDONLY)}};
                     }),
            (Outcomes{{"file", 0}, {"two", EACCES}}));
}

TEST_F(LandlockTest, APathThatIsNotThereIsLeftOut) {
  EXPECT_EQ(
      Confined({.read = {root_ + "/nowhere", root_ + "/read"}},
               [&]() -> Outcomes {
                 return {{"read", OpenErrno(root_ + "/read/file", O_RDONLY)}};
               }),
      (Outcomes{{"read", 0}}));
}

TEST_F(LandlockTest, ItHoldsForGood) {
  EXPECT_EQ(
      Confined({.read = {root_ + "/read"}},
               [&]() -> Outcomes {
                 (void)RestrictFiles({.read = {root_}}, {});
                 return {{"other", OpenErrno(root_ + "/other/file", O_RDONLY)},
                         {"read", OpenErrno(root_ + "/read/file", O_RDONLY)}};
               }),
      (Outcomes{{"other", EACCES}, {"read", 0}}));
}

TEST_F(LandlockTest, TcpPortsAreOpenOnlyWhereTheScopeSaysSo) {
  if (LandlockVersion() < 4) GTEST_SKIP() << "no TCP ports before version 4";
  const auto bind_errno = [] {
    const ScopedFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return bind(fd.get(), reinterpret_cast<sockaddr*>(&address),
                sizeof(address)) == 0
               ? 0
               : errno;
  };
  EXPECT_EQ(Confined({},
                     [&]() -> Outcomes {
                       return {{"bind", bind_errno()}};
                     }),
            (Outcomes{{"bind", EACCES}}));
  EXPECT_EQ(Confined({},
                     [&]() -> Outcomes {
                       return {{"bind", bind_errno()}};
                     },
                     {.binds_tcp = true}),
            (Outcomes{{"bind", 0}}));
}

}  // namespace
}  // namespace hilum
