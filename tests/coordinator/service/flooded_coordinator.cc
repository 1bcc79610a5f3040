// SPDX-License-Identifier: Apache-2.0
#include "tests/coordinator/service/flooded_coordinator.h"

#include <arpa/inet.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "common/rpc/tls.h"
#include "coordinator/service/listener.h"

namespace hilum {
namespace {

constexpr absl::Duration kStartTime = absl::Seconds(60);

std::string TlsYaml(const std::string& folder, const std::string& name) {
  return absl::StrCat("tls: {authority: ", folder,
                      "/ca.crt, certificate: ", folder, "/", name,
                      ".crt, private_key: ", folder, "/", name, ".key}\n");
}

}  // namespace

FloodedCoordinatorTest::FloodedCoordinatorTest()
    : authority_(MakeAuthority("lungs", RealClock().Now()).value()) {}

FloodedCoordinatorTest::~FloodedCoordinatorTest() {
  for (ChildProcess& child : children_) child.Stop(absl::Seconds(10));
}

Identity FloodedCoordinatorTest::MakeIdentity(const RequestedName& name) {
  const Request request = MakeRequest(name).value();
  Identity identity;
  identity.authority_pem = authority_.certificate_pem;
  identity.private_key_pem = request.private_key_pem;
  identity.certificate_pem =
      SignRequest(authority_, request.request_pem, 30, RealClock().Now())
          .value();
  return identity;
}

void FloodedCoordinatorTest::WriteIdentity(const std::string& name,
                                           const Identity& identity) {
  Write("ca.crt", identity.authority_pem);
  Write(absl::StrCat(name, ".crt"), identity.certificate_pem);
  ASSERT_TRUE(WriteFileAtomically(Path(absl::StrCat(name, ".key")),
                                  identity.private_key_pem, Durability::kNone,
                                  0600)
                  .ok());
}

void FloodedCoordinatorTest::StartCoordinator(const std::string& limits) {
  WriteIdentity("coordinator", MakeIdentity({.hosts = {"127.0.0.1"}}));
  Write("coordinator.yaml",
        absl::StrCat("listen: 127.0.0.1:0\nstate_dir: state\n",
                     "address_file: address\nlimits: {", limits, "}\n",
                     TlsYaml(Path(""), "coordinator")));
  auto child = ChildProcess::Start(
      {"/bin/sh", "-c",
       absl::StrCat("echo $$ > ", Path("pid"), "; ulimit -n ", kOpenFiles,
                    "; exec ", Program("hilum-coordinator"), " serve --config ",
                    Path("coordinator.yaml"))},
      Path("coordinator.log"));
  ASSERT_TRUE(child.ok()) << child.status();
  children_.push_back(*std::move(child));
  const absl::Status up =
      WaitForFile(Path("address"), children_.back(), kStartTime);
  ASSERT_TRUE(up.ok()) << up;
  address_ = std::string(absl::StripAsciiWhitespace(Text("address")));
  pid_ = std::string(absl::StripAsciiWhitespace(Text("pid")));
  admin_ = std::make_unique<AdminClient>(Path("state/admin.sock"));
}

std::string FloodedCoordinatorTest::Submit(
    const std::vector<std::string>& sites) {
  v1::Study study;
  study.set_name("flooded");
  for (const char* label : {"sick", "well"}) study.add_classes(label);
  for (const std::string& site : sites) study.add_sites(site);
  study.add_arms(v1::ARM_WHOLE);
  study.mutable_model()->set_trainable(v1::Model::TRAINABLE_HEAD);
  study.mutable_cross_validation()->set_folds(2);
  study.mutable_training()->set_rounds(2);
  study.mutable_evaluation()->set_score_bins(16);
  v1::Aggregation& rules = *study.mutable_aggregation();
  rules.set_minimum_sites(static_cast<uint32_t>(sites.size()));
  rules.set_secure_aggregation(v1::Aggregation::SECURE_AGGREGATION_OFF);
  FillStudyDefaults(study);
  absl::StatusOr<std::string> hash = admin_->SubmitStudy(study, "");
  EXPECT_TRUE(hash.ok()) << hash.status();
  return hash.value_or("");
}

void FloodedCoordinatorTest::StartSite(const std::string& name,
                                       const std::string& hash) {
  const std::string hex = ToHex(hash);
  const std::string folder = Path(name);
  std::filesystem::create_directories(absl::StrCat(folder, "/studies"));
  WriteIdentity(name, MakeIdentity({.site = name}));
  Write(absl::StrCat(name, "/manifest.csv"), "file,label,patient_id\n");
  const std::string config = absl::StrCat(name, "/site.yaml");
  Write(config, absl::StrCat("coordinator: ", address_, "\nstate_dir: ", folder,
                             "\nmanifest: ", folder, "/manifest.csv\n",
                             TlsYaml(Path(""), name), "trainer: {binary: ",
                             Program("hilum-fake-trainer"), "}\n"));
  auto child = ChildProcess::Start({Program("hilum-site"), "serve", "--config",
                                    Path(config), "--exit-when-done"},
                                   Path(absl::StrCat(name, ".log")));
  ASSERT_TRUE(child.ok()) << child.status();
  children_.push_back(*std::move(child));
  const absl::Status offered =
      WaitForFile(absl::StrCat(folder, "/studies/", hex, ".study"),
                  children_.back(), kStartTime);
  ASSERT_TRUE(offered.ok()) << offered;
  const Outcome approved =
      Run({Program("hilum-site"), "study", "approve", "--config", Path(config),
           hex, "--accept", "visible_updates"});
  ASSERT_EQ(approved.exit_status, 0) << approved.output;
}

std::unique_ptr<v1::Federation::Stub> FloodedCoordinatorTest::Channel(
    const std::string& site, const std::string& address) {
  if (!sites_.contains(site)) sites_[site] = MakeIdentity({.site = site});
  grpc::ChannelArguments arguments = BulkChannelArguments();
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return v1::Federation::NewStub(grpc::CreateCustomChannel(
      address.empty() ? address_ : address,
      TlsChannelCredentials(sites_.at(site)), arguments));
}

grpc::Status FloodedCoordinatorTest::Poll(const std::string& site) {
  auto stub = Channel(site);
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(RealClock().Now() + kStartTime));
  context.set_wait_for_ready(true);
  v1::NextTaskRequest request;
  request.mutable_header()->set_protocol_version(kProtocolVersion);
  v1::NextTaskResponse response;
  return stub->NextTask(&context, request, &response);
}

std::string FloodedCoordinatorTest::RealHello() {
  HostAndPort where{"127.0.0.1", 0};
  absl::StatusOr<ScopedFd> listener = ListenOnTcp(where);
  EXPECT_TRUE(listener.ok()) << listener.status();
  auto stub = Channel("nobody", absl::StrCat("127.0.0.1:", where.port));
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  grpc::Status status;
  v1::NextTaskResponse response;
  auto call = stub->AsyncNextTask(&context, v1::NextTaskRequest(), &queue);
  call->Finish(&response, &status, nullptr);
  pollfd comes = {.fd = listener->get(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(poll(&comes, 1, 60000), 1);
  ScopedFd fd(accept4(listener->get(), nullptr, nullptr, SOCK_CLOEXEC));
  std::string hello(4096, '\0');
  const ssize_t got = recv(fd.get(), hello.data(), hello.size(), 0);
  EXPECT_GT(got, 0);
  hello.resize(static_cast<size_t>(std::max<ssize_t>(got, 0)));
  context.TryCancel();
  queue.Shutdown();
  void* tag = nullptr;
  for (bool ok = false; queue.Next(&tag, &ok);) {
  }
  return hello;
}

ScopedFd FloodedCoordinatorTest::Connect(uint32_t from) const {
  const size_t colon = address_.rfind(':');
  uint32_t port = 0;
  EXPECT_TRUE(absl::SimpleAtoi(address_.substr(colon + 1), &port));
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<in_port_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ScopedFd fd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (from != 0) {
    sockaddr_in own = {};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(from);
    EXPECT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&own), sizeof(own)),
              0);
  }
  connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof(to));
  return fd;
}

int64_t FloodedCoordinatorTest::ProcStatus(const std::string& key) const {
  std::istringstream lines(
      ReadFile(absl::StrCat("/proc/", pid_, "/status")).value_or(""));
  for (std::string word; lines >> word;) {
    int64_t value = -1;
    if (word == key + ":" && lines >> value) return value;
  }
  return -1;
}

}  // namespace hilum
