// SPDX-License-Identifier: Apache-2.0
#include "common/rpc/unix_target.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "hilum/v1/admin.grpc.pb.h"

namespace hilum {
namespace {

TEST(UnixTargetTest, OnlyWhatAUriMayHoldIsLeftAsItIs) {
  EXPECT_EQ(UnixTarget("/a-b/c_d.~1"), "unix:/a-b/c_d.~1");
  EXPECT_EQ(UnixTarget("/a#b?c%d e"), "unix:/a%23b%3Fc%25d%20e");
}

TEST(UnixTargetTest, AFolderWithAnyCharactersIsReached) {
  const std::string folder =
      absl::StrCat("/tmp/hilum-unix-", getpid(), "/a#b?c%20d e\xc3\xa4");
  ASSERT_TRUE(MakeDirectories(folder).ok());
  const std::string socket = folder + "/s";
  v1::Admin::Service service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(UnixTarget(socket),
                           grpc::InsecureServerCredentials());
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  ASSERT_NE(server, nullptr);
  EXPECT_TRUE(std::filesystem::exists(socket));
  auto stub = v1::Admin::NewStub(grpc::CreateChannel(
      UnixTarget(socket), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  v1::ListStudiesResponse response;
  EXPECT_EQ(stub->ListStudies(&context, {}, &response).error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
  server->Shutdown();
  std::filesystem::remove_all(std::filesystem::path(folder).parent_path());
}

}  // namespace
}  // namespace hilum
