// SPDX-License-Identifier: Apache-2.0
#include "site_agent/sandbox/socket_rights.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "common/base/file.h"
#include "tests/site_agent/sandbox/attempts.h"

namespace hilum {
namespace {

TEST(SocketRightsTest, ADescriptorIsRefusedToItsSenderAndWordsStillArrive) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const ScopedFd one(ends[0]), other(ends[1]);
  const ScopedFd sent(open("/dev/null", O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(SendDescriptor(one.get(), sent.get()), 0) << "before";
  if (!RefuseDescriptors(other.get())) {
    GTEST_SKIP() << "this kernel has no SO_PASSRIGHTS (6.16 on)";
  }
  EXPECT_EQ(SendDescriptor(one.get(), sent.get()), EPERM);
  EXPECT_EQ(SendDescriptor(other.get(), sent.get()), 0) << "the way back";
  EXPECT_EQ(write(one.get(), "x", 1), 1);
}

// Else a caller would think that it is safe.
TEST(SocketRightsTest, WhatIsNoUnixSocketRefusesNothing) {
  EXPECT_FALSE(RefuseDescriptors(-1));
  const ScopedFd file(open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_FALSE(RefuseDescriptors(file.get()));
}

}  // namespace
}  // namespace hilum
