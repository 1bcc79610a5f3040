// SPDX-License-Identifier: Apache-2.0
// The real programs, run by an ordinary user.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "site_agent/sandbox/socket_rights.h"
#include "site_agent/trainer/service/trainer_child.h"
#include "site_agent/trainer/service/trainer_client.h"
#include "tests/site_agent/sandbox/attempts.h"

namespace hilum {
namespace {

namespace fs = std::filesystem;

// Returns how many filters a thread has; -1: the kernel does not say (before
// 5.9).
int Filters(const std::string& status) {
  const std::string field = "\nSeccomp_filters:\t";
  const size_t at = status.find(field);
  return at == std::string::npos ? -1 : std::atoi(&status[at + field.size()]);
}

// Returns the status of a thread that is not confined, or empty. This test may
// have a filter itself, as in a container.
std::string Unconfined(pid_t pid) {
  const int own = Filters(ReadFile("/proc/self/status").value_or(""));
  int threads = 0;
  for (const auto& task :
       fs::directory_iterator(absl::StrCat("/proc/", pid, "/task"))) {
    ++threads;
    const std::string status =
        ReadFile(task.path().string() + "/status").value_or("");
    for (const char* wanted : {"\nSeccomp:\t2\n", "\nNoNewPrivs:\t1\n"}) {
      if (status.find(wanted) == std::string::npos) return status;
    }
    if (own >= 0 && Filters(status) <= own) return status;
  }
  return threads > 0 ? "" : "no thread";
}

// Returns the outcomes against a closed process of the same user.
Outcomes Closed() {
  return {{"ptrace", EPERM},
          {"process_vm_readv", EPERM},
          {"mem", EACCES},
          {"environ", EACCES}};
}

class ProgramsTest : public testing::Test {
 protected:
  ProgramsTest() {
    std::string name = testing::TempDir() + "/programs-XXXXXX";
    folder_ = mkdtemp(name.data());
    chmod(folder_.c_str(), 0777);
    fs::create_directories(folder_ + "/trainer");
    chmod((folder_ + "/trainer").c_str(), 0777);
  }
  ~ProgramsTest() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  // Runs a program until it opens `pipe`, looks at it, and ends it. `filtered`:
  // it has its filter by then.
  void LookAt(const std::string& program, std::vector<std::string> arguments,
              const std::string& pipe, bool filtered = true) {
    ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
    if (geteuid() == 0) {
      ASSERT_EQ(chown(pipe.c_str(), 65534, 65534), 0);
    }
    arguments.insert(arguments.begin(), HILUM_BIN_DIR "/" + program);
    const pid_t child = fork();
    if (child == 0) {
      BecomeUser();
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      std::vector<char*> words;
      for (std::string& word : arguments) words.push_back(word.data());
      words.push_back(nullptr);
      const int null = open("/dev/null", O_WRONLY);
      dup2(null, STDOUT_FILENO);
      dup2(null, STDERR_FILENO);
      execv(words[0], words.data());
      _exit(127);
    }
    // Blocks until the program opens the pipe.
    const ScopedFd writer(open(pipe.c_str(), O_WRONLY));
    ASSERT_GE(writer.get(), 0);
    if (filtered) {
      EXPECT_EQ(Unconfined(child), "");
    }
    EXPECT_EQ(InUsersChild([&] { return TryProcess({.pid = child}); }),
              Closed());
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }

  // Writes a manifest of one case, whose image and mask do not exist yet.
  void WriteManifest() const {
    ASSERT_TRUE(
        WriteFileAtomically(folder_ + "/cases.csv",
                            "file,label,patient_id,mask\npipe,normal,p,pipe\n",
                            Durability::kNone)
            .ok());
  }

  std::string folder_;
};

TEST_F(ProgramsTest, TheGatewayIsHiddenBeforeItReadsWhereItsKeyIs) {
  LookAt("hilum-site", {"serve", "--config", folder_ + "/pipe"},
         folder_ + "/pipe", /*filtered=*/false);
}

TEST_F(ProgramsTest, InspectDecodesConfined) {
  LookAt("hilum-ingest", {"inspect", folder_ + "/pipe"}, folder_ + "/pipe");
}

TEST_F(ProgramsTest, FolderDecodesConfined) {
  fs::create_directories(folder_ + "/images");
  LookAt("hilum-ingest",
         {"folder", folder_ + "/images", "--store", folder_ + "/store",
          "--labels", folder_ + "/labels"},
         folder_ + "/labels");
}

TEST_F(ProgramsTest, MasksDecodesConfined) {
  fs::create_directories(folder_ + "/masks");
  fs::create_directories(folder_ + "/store");
  chmod((folder_ + "/store").c_str(), 0777);
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/store/store.db", "",
                                  Durability::kNone, 0666)
                  .ok());
  LookAt("hilum-ingest",
         {"masks", folder_ + "/masks", "--store", folder_ + "/store", "--key",
          folder_ + "/key"},
         folder_ + "/key");
}

// All subcommands that read a manifest share one confinement.
TEST_F(ProgramsTest, SegmentDecodesConfined) {
  WriteManifest();
  LookAt("hilum-trainer",
         {"segment", "judge", "--data", folder_ + "/cases.csv"},
         folder_ + "/pipe");
}

TEST_F(ProgramsTest, OrientationDecodesConfined) {
  WriteManifest();
  LookAt("hilum-trainer",
         {"orientation", "score", "--data", folder_ + "/cases.csv"},
         folder_ + "/pipe");
}

// Returns the trainer's answer to a Prepare of this manifest.
std::string SaysOf(TrainerClient& trainer, const std::string& manifest) {
  v1::PrepareRequest request;
  request.set_study("no study");
  request.set_manifest(manifest);
  return std::string(trainer.Prepare(request).status().message());
}

TEST_F(ProgramsTest, TheTrainerServesConfinedInAllItsThreads) {
  // Started by the user; examined from outside and by a sibling.
  int pids[2];
  int done[2];
  ASSERT_EQ(pipe(pids), 0);
  ASSERT_EQ(pipe(done), 0);
  const pid_t starter = fork();
  if (starter == 0) {
    BecomeUser();
    close(done[1]);
    auto child = StartTrainer(HILUM_BIN_DIR "/hilum-trainer",
                              {"--work", folder_ + "/trainer"});
    if (!child.ok()) _exit(1);
    TrainerClient trainer(std::move(child->socket));
    // The trainer serves now, so it is confined.
    if (SaysOf(trainer, folder_ + "/cases.csv").empty()) _exit(2);
    char byte = 0;
    if (write(pids[1], &child->pid, sizeof(child->pid)) < 0) _exit(3);
    (void)!read(done[0], &byte, 1);
    EndTrainer(child->pid);
    _exit(0);
  }
  close(pids[1]);
  pid_t trainer = -1;
  ASSERT_EQ(read(pids[0], &trainer, sizeof(trainer)), ssize_t{sizeof(trainer)});
  EXPECT_EQ(Unconfined(trainer), "");
  EXPECT_EQ(InUsersChild([&] { return TryProcess({.pid = trainer}); }),
            Closed());
  close(done[1]);
  close(done[0]);
  int status = 0;
  waitpid(starter, &status, 0);
  EXPECT_EQ(status, 0);
  close(pids[0]);
}

TEST_F(ProgramsTest, NoDescriptorPassesOverATrainersSocket) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const ScopedFd one(ends[0]), other(ends[1]);
  if (!RefuseDescriptors(one.get())) {
    GTEST_SKIP() << "this kernel has no SO_PASSRIGHTS (6.16 on)";
  }
  auto child = StartTrainer(HILUM_BIN_DIR "/hilum-trainer", {});
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_EQ(SendDescriptor(child->socket.get(), other.get()), EPERM);
  EndTrainer(child->pid);
}

// The libraries start threads before main; all threads must be in the process's
// namespace. Only root sees which namespace a thread is in.
TEST_F(ProgramsTest, AllThreadsOfATrainerOfSeveralDevicesAreInItsNamespace) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "another process's namespaces are for root to see";
  }
  int pids[2];
  int done[2];
  ASSERT_EQ(pipe(pids), 0);
  ASSERT_EQ(pipe(done), 0);
  const pid_t starter = fork();
  if (starter == 0) {
    BecomeUser();
    close(done[1]);
    auto child = StartTrainer(HILUM_BIN_DIR "/hilum-trainer",
                              {"--work", folder_ + "/trainer", "--loopback"});
    if (!child.ok()) _exit(1);
    TrainerClient trainer(std::move(child->socket));
    const std::string said = SaysOf(trainer, folder_ + "/cases.csv");
    const pid_t pid =
        said.find("ocket closed") == std::string::npos ? child->pid : 0;
    if (write(pids[1], &pid, sizeof(pid)) < 0) _exit(3);
    char byte = 0;
    (void)!read(done[0], &byte, 1);
    EndTrainer(child->pid);
    _exit(0);
  }
  close(pids[1]);
  pid_t trainer = -1;
  ASSERT_EQ(read(pids[0], &trainer, sizeof(trainer)), ssize_t{sizeof(trainer)});
  const bool refused = trainer == 0;
  if (!refused) {
    EXPECT_EQ(Unconfined(trainer), "");
    std::set<std::string> namespaces;
    for (const auto& task :
         fs::directory_iterator(absl::StrCat("/proc/", trainer, "/task"))) {
      namespaces.insert(fs::read_symlink(task.path() / "ns" / "net").string());
    }
    EXPECT_EQ(namespaces.size(), 1u);
    EXPECT_EQ(namespaces.count(fs::read_symlink("/proc/self/ns/net").string()),
              0u);
  }
  close(done[1]);
  close(done[0]);
  waitpid(starter, nullptr, 0);
  close(pids[0]);
  if (!refused) return;
  EXPECT_NE(SignalOfUsersChild([] {
              if (unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0) raise(SIGUSR1);
            }),
            SIGUSR1)
      << "the user may have a namespace, and the trainer had none";
  GTEST_SKIP() << "no network namespaces for this user here";
}

}  // namespace
}  // namespace hilum
