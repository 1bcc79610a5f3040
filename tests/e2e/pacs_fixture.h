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

// A store, hilum-ingest beside it and a peer of another make: DCMTK's tools or
// Orthanc. Skipped where these are not installed.
class PacsTest : public testing::Test {
 protected:
  PacsTest();
  ~PacsTest() override;
  void SetUp() override;

  std::string Path(const std::string& name) const;
  std::string Put(const std::string& name, const std::string& bytes) const;
  // A file of the store; "": none.
  std::string Stored(const std::string& name) const;
  int NumCases() const;  // in cases.csv
  // Left in the incoming folder, whatever they are.
  int NumIncoming() const;

  // A film of rows x 1000 pixels as a file; `seed` makes it another one.
  std::string Film(int seed, int rows = 40, const char* part = "CHEST",
                   const char* date = "20200301") const;

  // `hilum-ingest listen` on a free port, until StopListening.
  void Listen(const std::vector<std::string>& more = {});
  // The next line that it says with `what` in it; "" at its end.
  std::string WaitForLine(const std::string& what);
  // All that it has said on either stream. Call after StopListening.
  std::string SaidToItsEnd();
  // By SIGTERM: its exit status.
  int StopListening();

  struct Outcome {
    int exit_status;
    std::string output;
  };
  Outcome Run(const std::vector<std::string>& arguments) const;
  // storescu to the listener, or to `port`.
  Outcome Send(const std::vector<std::string>& files,
               const std::vector<std::string>& options = {}, int port = 0);

  // Orthanc on loopback that knows HILUM at `hilum_port`. False: not there.
  // With `tls`: over TLS, as orthanc.pem that ca.pem signed. `sends_as`: the
  // title under which it sends what is moved; "": its own.
  bool StartOrthanc(int hilum_port, bool tls = false,
                    const std::string& sends_as = "");
  // NAME.pem and NAME.key, signed by BY or, where that is empty, itself.
  void MakeCertificate(const std::string& name, const std::string& by);
  // DCMTK's tools as NAME.
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
  std::string said_;  // its lines as far as they were read
  std::unique_ptr<FILE, int (*)(FILE*)> lines_{nullptr, fclose};
};

}  // namespace hilum

#endif  // HILUM_TESTS_E2E_PACS_FIXTURE_H_
