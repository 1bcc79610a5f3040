// SPDX-License-Identifier: Apache-2.0
#include "common/rpc/unix_target.h"

#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "common/base/file.h"
#include "gtest/gtest.h"

namespace hilum {
namespace {

TEST(UnixTargetTest, WhatHasAMeaningInUrisIsEncoded) {
  EXPECT_EQ(UnixTarget("/a-b_c.d~e/1"), "unix:/a-b_c.d~e/1");
  EXPECT_EQ(UnixTarget("/s#1?x%20 \xc3\xa9"), "unix:/s%231%3Fx%2520%20%C3%A9");
}

// Returns a listener bound to the raw path.
ScopedFd ListenOn(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  unlink(path.c_str());
  ScopedFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(
      bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)),
      0);
  EXPECT_EQ(listen(fd.get(), 4), 0);
  return fd;
}

TEST(UnixTargetTest, AChannelFindsTheSocketOfThatVeryPath) {
  for (const char* name : {"plain", "s#1", "s?x", "s%20x", "s x", "s%"}) {
    const std::string path = ::testing::TempDir() + "/" + name;
    const ScopedFd listener = ListenOn(path);
    const auto channel = grpc::CreateChannel(
        UnixTarget(path), grpc::InsecureChannelCredentials());
    channel->GetState(/*try_to_connect=*/true);
    timeval patience = {.tv_sec = 20};
    setsockopt(listener.get(), SOL_SOCKET, SO_RCVTIMEO, &patience,
               sizeof(patience));
    const ScopedFd caller(accept(listener.get(), nullptr, nullptr));
    EXPECT_GE(caller.get(), 0) << name;
  }
}

}  // namespace
}  // namespace hilum
