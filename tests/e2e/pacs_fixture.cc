// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/pacs_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/clock.h"
#include "common/base/csv.h"
#include "common/base/file.h"
#include "tests/site_agent/imaging/dicom/dicom_maker.h"

namespace hilum {
namespace {

namespace fs = std::filesystem;

std::string NewFolder() {
  static int count = 0;
  return absl::StrCat(testing::TempDir(), "/hilum-pacs-", getpid(), "-",
                      ++count);
}

}  // namespace

PacsTest::PacsTest() : folder_(NewFolder()) {
  fs::create_directories(folder_);
  store_ = Path("store");
}

PacsTest::~PacsTest() {
  if (listener_.has_value()) listener_->Stop(absl::Seconds(15));
  if (orthanc_.has_value()) orthanc_->Stop(absl::Seconds(10));
  if (!HasFailure()) fs::remove_all(folder_);
}

void PacsTest::SetUp() {
  if (Tool("storescu").empty()) GTEST_SKIP() << "dcmtk's tools are not here";
}

std::string PacsTest::Program(const std::string& name) {
  return absl::StrCat(HILUM_BIN_DIR "/", name);
}

std::string PacsTest::Tool(const std::string& name) {
  for (const char* folder : {"/usr/bin/", "/usr/sbin/", "/usr/local/bin/"}) {
    if (FileExists(folder + name)) return folder + name;
  }
  return "";
}

std::string PacsTest::Path(const std::string& name) const {
  return absl::StrCat(folder_, "/", name);
}

std::string PacsTest::Put(const std::string& name,
                          const std::string& bytes) const {
  EXPECT_TRUE(WriteFileAtomically(Path(name), bytes, Durability::kNone).ok());
  return Path(name);
}

std::string PacsTest::Stored(const std::string& name) const {
  return ReadFile(absl::StrCat(store_, "/", name)).value_or("");
}

int PacsTest::NumCases() const {
  auto records = ParseCsv(Stored("cases.csv"));
  if (!records.ok() || records->empty()) return -1;
  return static_cast<int>(records->size()) - 1;
}

int PacsTest::NumIncoming() const {
  int count = 0;
  for (const auto& entry :
       fs::directory_iterator(absl::StrCat(store_, "/incoming"))) {
    count += entry.is_regular_file();
  }
  return count;
}

std::string PacsTest::Film(int seed, int rows, const char* part,
                           const char* date) const {
  std::vector<int> words;
  for (int i = 0; i < rows * 1000; ++i) {
    words.push_back((i * seed + i / 7) % 4096);
  }
  DicomMaker maker = SmallChest();
  maker.Text(0x00080018, "UI", absl::StrCat("1.2.3.", seed))
      .Text(0x00080020, "DA", date)
      .Text(0x00080050, "SH", absl::StrCat("A", seed))
      .Text(0x00100020, "LO", absl::StrCat("P", seed))
      .Text(0x00180015, "CS", part)
      .Text(0x0020000d, "UI", absl::StrCat("1.2.9.", seed))
      .Text(0x0020000e, "UI", absl::StrCat("1.2.8.", seed))
      .Words(0x00280010, "US", {rows})
      .Words(0x00280011, "US", {1000})
      .Words(kPixelDataTag, "OW", words);
  return Put(absl::StrCat(seed, ".dcm"), maker.File());
}

void PacsTest::Listen(const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {
      Program("hilum-ingest"), "listen", "--store", store_, "--port", "0"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  fs::remove(Path("listen.log"));
  read_ = 0;
  auto child = ChildProcess::Start(arguments, Path("listen.log"));
  ASSERT_TRUE(child.ok()) << child.status();
  listener_.emplace(*std::move(child));
  const std::string line = WaitForLine("listening as ");
  ASSERT_FALSE(line.empty()) << ReadFile(Path("listen.log")).value_or("");
  port_ = std::atoi(line.c_str() + line.find(':', line.find(" on ")) + 1);
}

std::string PacsTest::WaitForLine(const std::string& what) {
  const absl::Time last = RealClock().Now() + absl::Seconds(60);
  for (;;) {
    const std::string log = ReadFile(Path("listen.log")).value_or("");
    for (size_t end; (end = log.find('\n', read_)) != std::string::npos;) {
      const std::string line = log.substr(read_, end - read_);
      read_ = end + 1;
      if (absl::StrContains(line, what)) return line;
    }
    if (RealClock().Now() > last) return "";
    absl::SleepFor(absl::Milliseconds(20));
  }
}

std::string PacsTest::SaidToItsEnd() {
  return ReadFile(Path("listen.log")).value_or("");
}

int PacsTest::StopListening() {
  listener_->Stop(absl::Seconds(15));
  const auto status = listener_->Wait(absl::Seconds(15));
  listener_.reset();
  return status.value_or(-1);
}

PacsTest::Outcome PacsTest::Run(
    const std::vector<std::string>& arguments) const {
  const std::string log = Path("command.log");
  fs::remove(log);
  auto child = ChildProcess::Start(arguments, log);
  if (!child.ok()) return {-1, std::string(child.status().message())};
  const auto exit_status = child->Wait(absl::Minutes(2));
  return {exit_status.value_or(-1), ReadFile(log).value_or("")};
}

PacsTest::Outcome PacsTest::Send(const std::vector<std::string>& files,
                                 const std::vector<std::string>& options,
                                 int port) {
  std::vector<std::string> arguments = {Tool("storescu"), "-v", "-aec",
                                        "HILUM"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.push_back("127.0.0.1");
  arguments.push_back(absl::StrCat(port == 0 ? port_ : port));
  arguments.insert(arguments.end(), files.begin(), files.end());
  return Run(arguments);
}

int PacsTest::FreePort() {
  ScopedFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in name = {};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof name;
  auto* generic = reinterpret_cast<sockaddr*>(&name);
  EXPECT_EQ(bind(fd.get(), generic, size), 0);
  EXPECT_EQ(getsockname(fd.get(), generic, &size), 0);
  return ntohs(name.sin_port);
}

void PacsTest::MakeCertificate(const std::string& name, const std::string& by) {
  std::vector<std::string> arguments = {
      Tool("openssl"), "req",
      "-x509",         "-newkey",
      "rsa:2048",      "-nodes",
      "-days",         "2",
      "-subj",         absl::StrCat("/CN=", name),
      "-keyout",       Path(name + ".key"),
      "-out",          Path(name + ".pem")};
  if (!by.empty()) {
    for (const std::string& more : {std::string("-CA"), Path(by + ".pem"),
                                    std::string("-CAkey"), Path(by + ".key")}) {
      arguments.push_back(more);
    }
  }
  const Outcome made = Run(arguments);
  ASSERT_EQ(made.exit_status, 0) << made.output;
}

std::vector<std::string> PacsTest::TlsArguments(const std::string& name) const {
  return {"+tls", Path(name + ".key"), Path(name + ".pem"), "+cf",
          Path("ca.pem")};
}

std::string PacsTest::OrthancConfig(int hilum_port, bool tls,
                                    const std::string& sends_as) const {
  return absl::StrCat(
      R"({"StorageDirectory": ")", Path("db"), R"(", "IndexDirectory": ")",
      Path("db"), R"(", "DicomAet": "ORTHANC", "DicomPort": )", orthanc_port_,
      R"(, "HttpServerEnabled": false,
  "DicomAlwaysAllowFind": true, "DicomAlwaysAllowGet": true,
  "DicomAlwaysAllowMove": true, )",
      tls ? absl::StrCat(R"("DicomTlsEnabled": true,
  "DicomTlsCertificate": ")",
                         Path("orthanc.pem"), R"(", "DicomTlsPrivateKey": ")",
                         Path("orthanc.key"),
                         R"(", "DicomTlsTrustedCertificates": ")",
                         Path("ca.pem"), R"(", )")
          : "",
      R"("Plugins": [], "LuaScripts": [],
  "DicomModalities": {"hilum": {"AET": "HILUM", "Host": "127.0.0.1", "Port": )",
      hilum_port, R"(, "LocalAet": ")", sends_as.empty() ? "ORTHANC" : sends_as,
      "\"}}}\n");
}

bool PacsTest::StartOrthanc(int hilum_port, bool tls,
                            const std::string& sends_as) {
  const std::string program = Tool("Orthanc");
  if (program.empty() || Tool("movescu").empty()) return false;
  orthanc_port_ = FreePort();
  fs::create_directories(Path("db"));
  const std::string config =
      Put("orthanc.json", OrthancConfig(hilum_port, tls, sends_as));
  auto child = ChildProcess::Start({program, config}, Path("orthanc.log"));
  EXPECT_TRUE(child.ok()) << child.status();
  if (!child.ok()) return false;
  orthanc_.emplace(*std::move(child));
  // Orthanc shows that it is ready only by answering.
  std::vector<std::string> echo = {Tool("echoscu"), "-aec", "ORTHANC"};
  if (tls) {
    for (std::string& more : TlsArguments("modality")) echo.push_back(more);
  }
  echo.push_back("127.0.0.1");
  echo.push_back(absl::StrCat(orthanc_port_));
  for (int i = 0; i < 500; ++i) {
    if (Run(echo).exit_status == 0) return true;
    if (orthanc_->Wait(absl::Milliseconds(50)).ok()) break;
  }
  ADD_FAILURE() << "Orthanc does not answer: "
                << ReadFile(Path("orthanc.log")).value_or("");
  return false;
}

}  // namespace hilum
