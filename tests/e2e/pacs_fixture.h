// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_E2E_PACS_FIXTURE_H_
#define HILUM_TESTS_E2E_PACS_FIXTURE_H_

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/child_process.h"

namespace hilum {

// A case store, hilum-ingest beside it, and a peer of another vendor: DCMTK's
// tools or Orthanc. Skipped if these are not installed.
class PacsTest : public testing::Test {
 protected:
  PacsTest();
  ~PacsTest() override;
  void SetUp() override;

  std::string Path(const std::string& name) const;
  std::string Put(const std::string& name, const std::string& bytes) const;
  // Returns a file of the store; "": none.
  std::string Stored(const std::string& name) const;
  int NumCases() const;  // in cases.csv
  // Counts the files of any kind left in the incoming folder.
  int NumIncoming() const;

  // Makes a film of rows x 1000 pixels and returns its file; another `seed`
  // makes another film.
  std::string Film(int seed, int rows = 40, const char* part = "CHEST",
                   const char* date = "20200301") const;

  // Starts `hilum-ingest listen` on a free port; it runs until StopListening.
  void Listen(const std::vector<std::string>& more = {});
  // Returns the next line of the listener's log with `what` in it; "": none
  // came within a minute.
  std::string WaitForLine(const std::string& what);
  // Returns all that the listener has printed. Call after StopListening.
  std::string SaidToItsEnd();
  // Ends the listener by SIGTERM, and returns its exit status.
  int StopListening();

  struct Outcome {
    int exit_status;
    std::string output;
  };
  Outcome Run(const std::vector<std::string>& arguments) const;
  // Runs storescu to the listener, or to `port`.
  Outcome Send(const std::vector<std::string>& files,
               const std::vector<std::string>& options = {}, int port = 0);

  // Starts Orthanc on loopback, with HILUM known at `hilum_port`. Returns false
  // if it is not installed. With `tls`: over TLS, as orthanc.pem, which ca.pem
  // signed. `sends_as`: the title under which it sends moved images; "": its
  // own.
  bool StartOrthanc(int hilum_port, bool tls = false,
                    const std::string& sends_as = "");
  // Makes NAME.pem and NAME.key, signed by `by`; by itself if that is empty.
  void MakeCertificate(const std::string& name, const std::string& by);
  // Returns the arguments with which DCMTK's tools use NAME's certificate.
  std::vector<std::string> TlsArguments(const std::string& name) const;

  static std::string Program(const std::string& name);  // of ours
  static std::string Tool(const std::string& name);     // "": not installed
  static int FreePort();

  std::string store_;
  int port_ = 0;          // the listener's
  int orthanc_port_ = 0;  // DICOM

 private:
  std::string OrthancConfig(int hilum_port, bool tls,
                            const std::string& sends_as) const;

  const std::string folder_;
  std::optional<ChildProcess> listener_;
  std::optional<ChildProcess> orthanc_;
  size_t read_ = 0;  // bytes of the log that WaitForLine has read
};

}  // namespace hilum

#endif  // HILUM_TESTS_E2E_PACS_FIXTURE_H_
