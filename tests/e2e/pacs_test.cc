// SPDX-License-Identifier: Apache-2.0
// Runs hilum-ingest listen and query with software of other vendors;
// orthanc_test.cc does so with Orthanc.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "tests/e2e/pacs_fixture.h"
#include "tests/support/tiny_disk.h"

namespace hilum {
namespace {

namespace fs = std::filesystem;

TEST_F(PacsTest, WhatIsAcknowledgedIsInTheStore) {
  Listen({"--labels",
          Put("labels.csv", "PatientID,label\nP3,covid\nP5,normal\n")});
  EXPECT_EQ(
      Run({Tool("echoscu"), "-aec", "HILUM", "127.0.0.1", absl::StrCat(port_)})
          .exit_status,
      0);
  const Outcome sent = Send({Film(3), Film(5), Film(7, 40, "KNEE"), Film(3)});
  EXPECT_EQ(sent.exit_status, 0) << sent.output;
  EXPECT_FALSE(WaitForLine("3 taken, 1 refused").empty());
  EXPECT_EQ(StopListening(), 0);
  EXPECT_EQ(NumCases(), 2);
  EXPECT_EQ(NumIncoming(), 0);
  EXPECT_TRUE(absl::StrContains(Stored("quarantine.csv"),
                                "the body part is not the chest"));
  // Only the owner may read files that show patients.
  for (const auto& entry : fs::recursive_directory_iterator(store_)) {
    EXPECT_EQ(entry.status().permissions() &
                  (fs::perms::group_all | fs::perms::others_all),
              fs::perms::none)
        << entry.path();
  }
}

// Connects to the listener at this address of the machine; -1: refused.
ScopedFd ConnectTo(const char* address, int port) {
  ScopedFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in name = {};
  name.sin_family = AF_INET;
  name.sin_port = htons(static_cast<uint16_t>(port));
  inet_pton(AF_INET, address, &name.sin_addr);
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) != 0) {
    fd.Close();
  }
  return fd;
}

// UIDs and patients are in the store, by pseudonym, and in no log.
TEST_F(PacsTest, ItsLogNamesNoImageAndNoPatient) {
  Listen({"--labels", Put("labels.csv", "PatientID,label\nP7,a\nP7,b\n")});
  EXPECT_EQ(Send({Film(7), Film(9, 40, "KNEE")}).exit_status, 0);
  EXPECT_FALSE(WaitForLine("1 taken, 1 refused").empty());
  EXPECT_EQ(StopListening(), 0);
  const std::string said = SaidToItsEnd();
  for (const char* word : {"1.2.3.", "1.2.8.", "1.2.9.", "P7", "P9"}) {
    EXPECT_FALSE(absl::StrContains(said, word)) << said;
  }
  EXPECT_TRUE(absl::StrContains(said, "labels.csv:3: another label"));
}

TEST_F(PacsTest, FortySilentConnectionsHoldUpNobody) {
  Listen();
  std::vector<ScopedFd> silent;
  for (int i = 0; i < 40; ++i) {
    silent.push_back(ConnectTo("127.0.0.1", port_));
    ASSERT_GE(silent.back().get(), 0);
    if (i % 2 == 0) {  // a request that stops in the middle
      ASSERT_EQ(send(silent.back().get(), "\1\0\0\0", 4, MSG_NOSIGNAL), 4);
    }
  }
  EXPECT_EQ(
      Run({Tool("echoscu"), "-aec", "HILUM", "127.0.0.1", absl::StrCat(port_)})
          .exit_status,
      0);
  const Outcome sent = Send({Film(3), Film(5)});
  EXPECT_EQ(sent.exit_status, 0) << sent.output;
  // The listener waited for no silent connection: the first one is still open.
  char byte;
  EXPECT_EQ(recv(silent[0].get(), &byte, 1, MSG_DONTWAIT), -1);
  EXPECT_EQ(errno, EAGAIN);
  EXPECT_EQ(StopListening(), 0);
}

TEST_F(PacsTest, OtherMachinesReachItOnlyWhereTold) {
  Listen();
  EXPECT_GE(ConnectTo("127.0.0.1", port_).get(), 0);
  EXPECT_LT(ConnectTo("127.0.0.2", port_).get(), 0);
  EXPECT_EQ(StopListening(), 0);
  Listen({"--bind", "0.0.0.0"});
  EXPECT_GE(ConnectTo("127.0.0.2", port_).get(), 0);
  EXPECT_EQ(StopListening(), 0);
}

TEST_F(PacsTest, OtherTitlesAndHostsAreRejected) {
  Listen({"--allow", "MODALITY", "--allow", "PACS@192.0.2.7"});
  const std::string film = Film(3);
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{
           {"-aet", "STRANGER"},
           {"-aet", "PACS"},  // from another address
           {"-aet", "MODALITY", "-aec", "OTHER"}}) {
    const Outcome outcome = Send({film}, wrong);
    EXPECT_NE(outcome.exit_status, 0);
    EXPECT_TRUE(absl::StrContains(outcome.output, "Not Recognized"))
        << outcome.output;
  }
  EXPECT_EQ(Send({film}, {"-aet", "MODALITY"}).exit_status, 0);
  EXPECT_EQ(StopListening(), 0);
}

TEST_F(PacsTest, ManySendersAtOnce) {
  Listen();
  std::vector<std::string> films;
  for (int i = 0; i < 40; ++i) films.push_back(Film(2 * i + 1));
  std::vector<ChildProcess> senders;
  for (int i = 0; i < 20; ++i) {
    auto sender = ChildProcess::Start(
        {Tool("storescu"), "-aec", "HILUM", "127.0.0.1", absl::StrCat(port_),
         films[2 * i], films[2 * i + 1]},
        Path(absl::StrCat("sender", i)));
    ASSERT_TRUE(sender.ok());
    senders.push_back(*std::move(sender));
  }
  for (ChildProcess& sender : senders) {
    EXPECT_EQ(sender.Wait(absl::Minutes(1)).value_or(-1), 0);
  }
  EXPECT_EQ(StopListening(), 0);
  const Outcome listed =
      Run({Program("hilum-ingest"), "list", "--store", store_, "--json"});
  int cases = 0;
  for (size_t at = 0;
       (at = listed.output.find("\"unlabelled\"", at)) != std::string::npos;
       ++at) {
    ++cases;
  }
  EXPECT_EQ(cases, 40) << listed.output;
}

// Forwards so many bytes of one connection's client, then holds until Cut.
class Proxy {
 public:
  Proxy(int to, size_t bytes) : bytes_(bytes) {
    sockaddr_in name = {};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof name;
    auto* generic = reinterpret_cast<sockaddr*>(&name);
    listen_ = ScopedFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(bind(listen_.get(), generic, size), 0);
    EXPECT_EQ(listen(listen_.get(), 1), 0);
    EXPECT_EQ(getsockname(listen_.get(), generic, &size), 0);
    port_ = ntohs(name.sin_port);
    name.sin_port = htons(static_cast<uint16_t>(to));
    server_ = ScopedFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(connect(server_.get(), generic, size), 0);
    thread_ = std::thread([this] { Forward(); });
  }
  ~Proxy() {
    if (thread_.joinable()) thread_.join();
  }

  int port() const { return port_; }
  // Waits until all bytes have been forwarded.
  void Hold() { thread_.join(); }
  void Cut() {
    if (thread_.joinable()) Hold();
    server_.Close();
    client_.Close();
  }

 private:
  void Forward() {
    client_ = ScopedFd(accept4(listen_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    char buffer[65536];
    while (bytes_ > 0) {
      pollfd waits[] = {{client_.get(), POLLIN, 0}, {server_.get(), POLLIN, 0}};
      if (poll(waits, 2, 30000) <= 0) return;
      for (int i = 0; i < 2; ++i) {
        if (waits[i].revents == 0) continue;
        const size_t most =
            i == 0 ? std::min(bytes_, sizeof buffer) : sizeof buffer;
        const ssize_t got = read(waits[i].fd, buffer, most);
        if (got <= 0) return;
        send(waits[1 - i].fd, buffer, static_cast<size_t>(got), MSG_NOSIGNAL);
        if (i == 0) bytes_ -= static_cast<size_t>(got);
      }
    }
  }

  size_t bytes_;
  int port_ = 0;
  ScopedFd listen_, client_, server_;
  std::thread thread_;
};

TEST_F(PacsTest, ASenderThatIsCutOffInTheMiddleLeavesNothing) {
  Listen();
  const std::string film = Film(3, 2000);  // 4 MB
  Proxy proxy(port_, 2 << 20);
  auto sender =
      ChildProcess::Start({Tool("storescu"), "-aec", "HILUM", "127.0.0.1",
                           absl::StrCat(proxy.port()), film},
                          Path("sender.log"));
  ASSERT_TRUE(sender.ok());
  proxy.Cut();
  EXPECT_NE(sender->Wait(absl::Minutes(1)).value_or(0), 0);
  EXPECT_FALSE(WaitForLine("the association broke").empty());
  EXPECT_FALSE(WaitForLine("ended").empty());
  EXPECT_EQ(NumIncoming(), 0);
  // The listener goes on, and takes the same object.
  const Outcome again = Send({film});
  EXPECT_EQ(again.exit_status, 0) << again.output;
  EXPECT_EQ(StopListening(), 0);
}

TEST_F(PacsTest, NoiseOnThePortEndsNothing) {
  Listen();
  for (const std::string& noise :
       {std::string("GET / HTTP/1.0\r\n\r\n"), std::string(70000, '\xff'),
        std::string("\x01\x00\xff\xff\xff\xff", 6) + std::string(100, 'x'),
        std::string("\x04\x00\x00\x00\x00\x04\x00\x00\x00\x00", 10)}) {
    ScopedFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in name = {};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    name.sin_port = htons(static_cast<uint16_t>(port_));
    ASSERT_EQ(
        connect(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
    send(fd.get(), noise.data(), noise.size(), MSG_NOSIGNAL);
  }
  EXPECT_EQ(Send({Film(3)}).exit_status, 0);
  EXPECT_EQ(StopListening(), 0);
}

TEST_F(PacsTest, AFullDiskIsNotAcknowledged) {
  auto disk = TinyDisk::Mount(24 << 20);
  if (!disk.ok()) GTEST_SKIP() << disk.status();
  store_ = absl::StrCat((*disk)->path(), "/store");
  Listen();
  EXPECT_EQ(Send({Film(3, 2000)}).exit_status, 0);
  for (uint64_t left : {uint64_t{0}, uint64_t{64} << 10, uint64_t{4200} << 10,
                        uint64_t{6} << 20}) {
    (*disk)->Free();
    ASSERT_TRUE((*disk)->Fill(left).ok());
    const Outcome sent = Send({Film(5, 2000)});
    if (left == 6 << 20) continue;  // enough for the file, perhaps for all
    EXPECT_TRUE(absl::StrContains(sent.output, "OutOfResources"))
        << left << ": " << sent.output;
    EXPECT_EQ(NumIncoming(), 0) << left;
  }
  (*disk)->Free();
  const Outcome sent = Send({Film(5, 2000), Film(7, 2000)});
  EXPECT_TRUE(absl::StrContains(sent.output, "Success")) << sent.output;
  EXPECT_FALSE(absl::StrContains(sent.output, "OutOfResources"));
  EXPECT_EQ(StopListening(), 0);
}

// Each file keeps its transfer syntax. DCMTK 3.6.7's tools lack HTJ2K.
TEST_F(PacsTest, RealFilmsComeInTheirTransferSyntax) {
  const std::string files = HILUM_SOURCE_DIR "/../shared/dicom/files/";
  if (!FileExists(files + "chestA_expLE.dcm")) GTEST_SKIP() << "no " << files;
  Listen();
  const std::pair<const char*, const char*> kinds[] = {
      {"chestA_expLE", "-x="},     {"chestA_implLE", "-xi"},
      {"chestA_bigendian", "-xb"}, {"chestA_deflated", "-xd"},
      {"chestA_jpegll70", "-xs"},  {"chestA_jpegbase50", "-xy"},
      {"chestA_jpegext51", "-xx"}, {"chestA_j2k90", "-xv"},
      {"chestA_j2k91", "-xw"},     {"chestA_jpegls80", "-xt"},
      {"chestA_jpegls81", "-xu"},  {"chestA_rle", "-xr"}};
  int sent = 0;
  for (const auto& [name, flag] : kinds) {
    const std::string file = absl::StrCat(files, name, ".dcm");
    if (!FileExists(file)) continue;
    const Outcome outcome = Send({file}, {flag});
    EXPECT_EQ(outcome.exit_status, 0) << name << outcome.output;
    EXPECT_FALSE(WaitForLine("1 taken, 0 refused").empty()) << name;
    ++sent;
  }
  EXPECT_GE(sent, 8);
  EXPECT_EQ(StopListening(), 0);
}

TEST_F(PacsTest, APeerThatIsNotThereIsNamed) {
  const Outcome outcome =
      Run({Program("hilum-ingest"), "query", "--store", store_, "--peer",
           absl::StrCat("NOBODY@127.0.0.1:", FreePort()), "--from",
           "2020-03-01", "--to", "2020-03-01"});
  EXPECT_EQ(outcome.exit_status, 1);
  EXPECT_TRUE(absl::StrContains(outcome.output, "NOBODY@127.0.0.1:"))
      << outcome.output;
}

TEST_F(PacsTest, TlsIsMutual) {
  if (Tool("openssl").empty()) GTEST_SKIP() << "no openssl";
  MakeCertificate("ca", "");
  MakeCertificate("other", "");
  MakeCertificate("hilum", "ca");
  MakeCertificate("modality", "ca");
  MakeCertificate("stranger", "other");
  Listen({"--tls-cert", Path("hilum.pem"), "--tls-key", Path("hilum.key"),
          "--tls-ca", Path("ca.pem")});
  const std::string film = Film(3);
  const Outcome good = Send({film}, TlsArguments("modality"));
  EXPECT_EQ(good.exit_status, 0) << good.output;
  EXPECT_NE(Send({film}, TlsArguments("stranger")).exit_status, 0);
  EXPECT_NE(Send({film}).exit_status, 0);  // in the clear
  EXPECT_EQ(StopListening(), 0);
}

TEST_F(PacsTest, ATlsSessionIsNotResumedWithoutACertificate) {
  if (Tool("openssl").empty()) GTEST_SKIP() << "no openssl";
  MakeCertificate("ca", "");
  MakeCertificate("hilum", "ca");
  MakeCertificate("modality", "ca");
  Listen({"--tls-cert", Path("hilum.pem"), "--tls-key", Path("hilum.key"),
          "--tls-ca", Path("ca.pem")});
  for (const char* version : {"-tls1_2", "-tls1_3"}) {
    const auto connect = [&](const std::string& options) {
      return Run({"/bin/sh", "-c",
                  absl::StrCat("(sleep 0.3) | timeout 20 openssl s_client ",
                               version, " -connect 127.0.0.1:", port_,
                               " -CAfile ", Path("ca.pem"), " ", options)})
          .output;
    };
    const std::string ticket = Path(absl::StrCat("ticket", version));
    EXPECT_TRUE(absl::StrContains(
        connect(absl::StrCat("-cert ", Path("modality.pem"), " -key ",
                             Path("modality.key"), " -sess_out ", ticket)),
        "New, TLSv1."));
    if (!FileExists(ticket)) continue;
    EXPECT_FALSE(absl::StrContains(connect(absl::StrCat("-sess_in ", ticket)),
                                   "Reused, TLSv1."));
  }
  EXPECT_EQ(StopListening(), 0);
}

// An object on its way has ten seconds left.
TEST_F(PacsTest, EndsWithASenderInTheMiddleOfAnObject) {
  Listen();
  const std::string film = Film(3, 2000);
  Proxy proxy(port_, 2 << 20);
  auto sender =
      ChildProcess::Start({Tool("storescu"), "-aec", "HILUM", "127.0.0.1",
                           absl::StrCat(proxy.port()), film},
                          Path("sender.log"));
  ASSERT_TRUE(sender.ok());
  proxy.Hold();
  EXPECT_EQ(StopListening(), 0);
  proxy.Cut();
  EXPECT_NE(sender->Wait(absl::Minutes(1)).value_or(0), 0);
  // The next start removes an incomplete file.
  Listen();
  EXPECT_EQ(NumIncoming(), 0);
  EXPECT_EQ(Send({film}).exit_status, 0);
  EXPECT_EQ(StopListening(), 0);
}

}  // namespace
}  // namespace hilum
