// SPDX-License-Identifier: Apache-2.0
// Floods of a coordinator by somebody outside with cheap means: connections,
// handshakes, polls, large messages. On loopback and bounded.
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <deque>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/ids.h"
#include "tests/coordinator/service/flooded_coordinator.h"

namespace hilum {
namespace {

using testing::HasSubstr;

constexpr char kLimits[] = "handshake_seconds: 2";

class FloodTest : public FloodedCoordinatorTest {
 protected:
  // Opens some hundred connections a second, at most `held` at the same time:
  // silent ones, garbage and the beginning of a handshake. Until stopped, or
  // 20,000. Sends no whole ClientHellos: from a site's own address these can
  // push out its handshake (docs/coordinator-limits.md).
  void Flood(const std::string& hello, size_t held, std::atomic<bool>& stop,
             std::atomic<int>& opened) {
    const std::string says[] = {"", "GET / HTTP/1.1\r\n\r\n",
                                hello.substr(0, 7), ""};
    std::deque<ScopedFd> open;
    for (size_t i = 0; !stop && i < 20000; ++i) {
      poll(nullptr, 0, 2);
      open.push_back(Connect());
      const std::string& text = says[i % std::size(says)];
      pollfd writable = {
          .fd = open.back().get(), .events = POLLOUT, .revents = 0};
      poll(&writable, 1, 10);
      send(open.back().get(), text.data(), text.size(), MSG_NOSIGNAL);
      ++opened;
      if (open.size() > held) open.pop_front();
    }
  }

  static absl::Status AwaitCompletion(AdminClient& admin,
                                      const std::string& hash) {
    absl::StatusOr<v1::StudyStatus> end =
        admin.WatchStudy(hash, [](const v1::StudyStatus&) {});
    if (!end.ok()) return end.status();
    if (end->phase() == v1::StudyStatus::COMPLETED) return absl::OkStatus();
    return absl::AbortedError(end->reason());
  }
};

// The flood holds more connections than the coordinator has descriptors.
TEST_F(FloodTest, AStudyGoesOnUnderAFloodOfConnections) {
  StartCoordinator(kLimits);
  std::atomic<bool> stop = false;
  std::atomic<int> opened = 0;
  const std::string hello = RealHello();
  std::thread flood([&] { Flood(hello, 2 * kOpenFiles, stop, opened); });
  while (opened < 2 * kOpenFiles) poll(nullptr, 0, 10);
  const std::vector<std::string> sites = {"site-1", "site-2", "site-3"};
  const std::string hash = Submit(sites);
  for (const std::string& site : sites) StartSite(site, hash);
  const absl::Status end = AwaitCompletion(admin(), hash);
  EXPECT_TRUE(end.ok()) << end;
  const int in_the_end = opened;
  EXPECT_TRUE(Poll("site-1").ok());
  EXPECT_TRUE(admin().ListStudies().ok());
  stop = true;
  flood.join();
  EXPECT_GT(in_the_end, 2 * kOpenFiles);
  EXPECT_THAT(CoordinatorLog(), HasSubstr("of 127.0.0.1: made room"));
  EXPECT_THAT(CoordinatorLog(), HasSubstr("is no TLS ClientHello"));
}

// Each connection of the flood is silent and from an address of its own, which
// sorts behind the sites' addresses.
TEST_F(FloodTest, AFloodFromManyAddressesKeepsNoSiteOut) {
  StartCoordinator(kLimits);
  Submit({"a", "b", "c"});
  std::atomic<bool> stop = false;
  std::atomic<int> opened = 0;
  std::thread flood([&] {
    std::deque<ScopedFd> open;
    constexpr uint32_t kFirst = (127u << 24) + (64u << 16);
    for (uint32_t i = 0; !stop && i < 60000; ++i) {
      poll(nullptr, 0, 1);
      open.push_back(Connect(kFirst + i));
      if (open.size() > 2 * kOpenFiles) open.pop_front();
      ++opened;
    }
  });
  while (opened < 2 * kOpenFiles) poll(nullptr, 0, 10);
  for (const char* site : {"a", "b", "c", "a", "b", "c"}) {
    const grpc::Status polled = Poll(site);
    EXPECT_TRUE(polled.ok()) << site << ": " << polled.error_message();
  }
  stop = true;
  flood.join();
  EXPECT_THAT(CoordinatorLog(), HasSubstr("made room for a newer one"));
}

TEST_F(FloodTest, AfterTheFloodEverybodyIsAcceptedAtOnce) {
  StartCoordinator(kLimits);
  Submit({"a", "b", "c"});
  std::vector<ScopedFd> silent;
  for (int i = 0; i < 3 * kOpenFiles; ++i) silent.push_back(Connect());
  EXPECT_TRUE(Poll("a").ok());
  EXPECT_TRUE(admin().ListStudies().ok());
  silent.clear();
  for (const char* site : {"a", "b", "c"}) {
    const grpc::Status polled = Poll(site);
    EXPECT_TRUE(polled.ok()) << site << ": " << polled.error_message();
  }
}

// No other connection comes, so time alone must end these. The first says
// nothing, the second stops within its ClientHello, the third does not answer
// the coordinator's ServerHello.
TEST_F(FloodTest, SilentAndHalfOpenConnectionsEndByThemselves) {
  StartCoordinator("handshake_seconds: 1");
  const std::string hello = RealHello();
  const std::string says[] = {"", hello.substr(0, hello.size() - 1), hello};
  for (const std::string& text : says) {
    ScopedFd fd = Connect();
    pollfd ready = {.fd = fd.get(), .events = POLLOUT, .revents = 0};
    ASSERT_EQ(poll(&ready, 1, 60000), 1);
    send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
    ready.events = POLLIN;
    std::string answer;
    for (ssize_t got = 1; got > 0;) {
      ASSERT_EQ(poll(&ready, 1, 60000), 1);
      char bytes[4096];
      got = recv(fd.get(), bytes, sizeof(bytes), 0);
      answer.append(bytes, static_cast<size_t>(std::max<ssize_t>(got, 0)));
    }
    EXPECT_EQ(answer.empty(), text.size() < hello.size());
  }
  EXPECT_THAT(CoordinatorLog(), HasSubstr("no TLS ClientHello within 1s"));
}

// Ten certificates each poll as often as their connections allow: 3,000 polls
// that would wait for minutes.
TEST_F(FloodTest, PollsTakeNoThreadEach) {
  StartCoordinator(kLimits);
  Submit({"a", "b", "c"});
  ASSERT_TRUE(Poll("a").ok());
  const int64_t before = ProcStatus("Threads");
  constexpr int kSites = 10, kChannels = 30, kPollsOfAChannel = 100;
  grpc::CompletionQueue queue;
  struct Call {
    grpc::ClientContext context;
    grpc::Status status;
    v1::NextTaskResponse response;
    std::unique_ptr<grpc::ClientAsyncResponseReader<v1::NextTaskResponse>> rpc;
  };
  std::vector<std::unique_ptr<v1::Federation::Stub>> stubs;
  std::vector<std::unique_ptr<Call>> calls;
  v1::NextTaskRequest request;
  request.mutable_header()->set_protocol_version(kProtocolVersion);
  request.set_wait_ms(600000);
  for (int c = 0; c < kChannels; ++c) {
    stubs.push_back(Channel(absl::StrCat("stranger-", c % kSites)));
    for (int i = 0; i < kPollsOfAChannel; ++i) {
      auto call = std::make_unique<Call>();
      call->rpc = stubs.back()->AsyncNextTask(&call->context, request, &queue);
      call->rpc->Finish(&call->response, &call->status, call.get());
      calls.push_back(std::move(call));
    }
  }
  // Newer polls make the coordinator answer older ones. In the end polls remain
  // at a client only if its four streams are the newest of its site: at most
  // 100 a site.
  int64_t most = 0;
  int waiting = kChannels * kPollsOfAChannel, failed = 0;
  while (waiting > 100 * kSites) {
    void* tag = nullptr;
    bool ok = false;
    ASSERT_EQ(queue.AsyncNext(
                  &tag, &ok,
                  absl::ToChronoTime(RealClock().Now() + absl::Seconds(60))),
              grpc::CompletionQueue::GOT_EVENT)
        << waiting;
    failed += !static_cast<Call*>(tag)->status.ok();
    if (--waiting % 100 == 0) most = std::max(most, ProcStatus("Threads"));
  }
  EXPECT_EQ(failed, 0);
  most = std::max(most, ProcStatus("Threads"));
  EXPECT_LE(most, before + 8);
  EXPECT_TRUE(Poll("b").ok());
  for (auto& call : calls) call->context.TryCancel();
  queue.Shutdown();
  void* tag = nullptr;
  for (bool ok = false; queue.Next(&tag, &ok);) {
  }
}

// A site with a certificate sends as much as it can, over as many connections
// as it likes.
TEST_F(FloodTest, OneSitesMessagesTakeABoundedMemory) {
  StartCoordinator(kLimits);
  const std::string hash = Submit({"a", "b", "c"});
  const int64_t before = ProcStatus("VmHWM");
  constexpr int kChannels = 4, kThreads = 24, kChunks = 5;
  std::vector<std::unique_ptr<v1::Federation::Stub>> stubs;
  for (int i = 0; i < kChannels; ++i) stubs.push_back(Channel("a"));
  v1::UploadChunkRequest request;
  request.mutable_header()->set_protocol_version(kProtocolVersion);
  request.mutable_header()->set_study_hash(hash);
  request.mutable_blob()->set_size(1 << 30);
  request.set_data(std::string(7 << 20, 'x'));
  std::atomic<int> taken = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kChunks; ++i) {
        grpc::ClientContext context;
        v1::UploadChunkResponse response;
        taken += stubs[static_cast<size_t>(t) % kChannels]
                     ->UploadChunk(&context, request, &response)
                     .ok();
      }
    });
  }
  EXPECT_TRUE(Poll("b").ok());
  EXPECT_TRUE(admin().ListStudies().ok());
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken, 0);
  const int64_t grown = (ProcStatus("VmHWM") - before) / 1024;
  RecordProperty("grown_mb", static_cast<int>(grown));
  std::printf("grown by %d MB\n", static_cast<int>(grown));
  EXPECT_LT(grown, 200);
}

}  // namespace
}  // namespace hilum
