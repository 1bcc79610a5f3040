// SPDX-License-Identifier: Apache-2.0
// Peers of a DICOM application, built with DCMTK, and an intake with fixed
// answers.
#ifndef HILUM_TESTS_SITE_AGENT_INGEST_NETWORK_DICOM_FAKES_H_
#define HILUM_TESTS_SITE_AGENT_INGEST_NETWORK_DICOM_FAKES_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "site_agent/ingest/intake_channel.h"

struct T_ASC_Association;
struct T_ASC_Network;

namespace hilum {

inline constexpr char kComputedRadiography[] = "1.2.840.10008.5.1.4.1.1.1";
inline constexpr char kVerification[] = "1.2.840.10008.1.1";

// Stands in for the process that decodes: a thread that records requests.
class FakeIntake {
 public:
  // Answers every "take" with `answer`: "committed", "refused WHY", "full WHY";
  // "": closes the other side instead.
  explicit FakeIntake(std::string answer);
  ~FakeIntake();

  IntakeChannel& channel() { return channel_; }
  std::vector<std::string> taken() const;  // names of files

 private:
  void Run();

  const std::string answer_;
  ScopedFd other_;
  IntakeChannel channel_;
  mutable std::mutex mutex_;
  std::vector<std::string> taken_;
  std::thread thread_;
};

// A requesting application.
class Scu {
 public:
  struct Titles {
    std::string calling = "MODALITY";
    std::string called = "HILUM";
  };
  // Proposes one context for each SOP class to a port on loopback.
  Scu(int port, const Titles& titles,
      const std::vector<std::string>& sop_classes);
  ~Scu();

  // Returns "" if accepted; else the reason.
  const std::string& refusal() const { return refusal_; }
  bool Accepts(const std::string& sop_class) const;
  bool Echo();
  // Sends a small data set by C-STORE; in the context of `in_context`, another
  // class, if given. Returns the status in the answer; -1: the association
  // broke.
  int Store(const std::string& sop_class, const std::string& uid,
            const std::string& in_context = "");
  void Release();

 private:
  T_ASC_Network* network_ = nullptr;
  T_ASC_Association* association_ = nullptr;
  std::string refusal_;
};

struct PacsImage {
  std::string study, date, patient, accession, series, modality, instance;
};

// An archive in a process of its own, which answers C-FIND, C-GET and C-MOVE.
class FakePacs {
 public:
  struct Options {
    std::vector<PacsImage> images;
    bool matches_accession = true;    // false: ignores the key
    std::string move_title = "PACS";  // own title when it sends for a C-MOVE
    int move_port = 0;
    bool sends = true;  // false: reports sending but sends nothing
  };
  explicit FakePacs(const Options& options);
  ~FakePacs();
  int port() const { return port_; }

 private:
  int port_ = 0;
  pid_t pid_ = -1;
};

// Returns a listening socket on a free port of loopback.
ScopedFd ListenOnLoopback(int& port);

}  // namespace hilum

#endif  // HILUM_TESTS_SITE_AGENT_INGEST_NETWORK_DICOM_FAKES_H_
