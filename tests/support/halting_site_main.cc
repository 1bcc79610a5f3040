// SPDX-License-Identifier: Apache-2.0
// hilum-halting-site ROUND CALL before|after kill|wait FOLDER serve --config
// FILE: runs `hilum-site serve --exit-when-done`. At a certain call in a round
// it is killed as by kill -9, or it writes FOLDER/halted and waits for
// FOLDER/go. FOLDER is below the state folder: a site may not write elsewhere.
// CALL: the method, or the answer in a SubmitSecureStep (keys, shares, masked,
// confirmation, revealed).
#include <sys/prctl.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "common/base/file.h"
#include "hilum/v1/federation.pb.h"
#include "site_agent/gateway/commands.h"

namespace hilum {
namespace {

struct Halt {
  uint32_t round;
  std::string call;
  bool after;
  bool kills;
  std::string folder;
};

uint32_t RoundOf(const google::protobuf::Message& request) {
  const auto* field = request.GetDescriptor()->FindFieldByName("header");
  v1::Header header;
  header.CopyFrom(request.GetReflection()->GetMessage(request, field));
  return header.round();
}

std::string NameOf(absl::string_view method,
                   const google::protobuf::Message& request) {
  const auto* step = dynamic_cast<const v1::SubmitSecureStepRequest*>(&request);
  if (step == nullptr) return std::string(method);
  return step->GetReflection()
      ->GetOneofFieldDescriptor(*step, step->GetDescriptor()->oneof_decl(0))
      ->name();
}

class HaltingTransport : public Transport {
 public:
  HaltingTransport(Transport& inner, const Halt& halt)
      : inner_(inner), halt_(halt) {}

  absl::Status Call(absl::string_view method,
                    const google::protobuf::Message& request,
                    google::protobuf::Message* response,
                    absl::Duration timeout) override {
    const bool here = !done_ && method != "NextTask" &&
                      RoundOf(request) == halt_.round &&
                      NameOf(method, request) == halt_.call;
    if (here && !halt_.after) Stop();
    absl::Status status = inner_.Call(method, request, response, timeout);
    if (here && halt_.after) Stop();
    return status;
  }
  std::string PeerCertificate() const override {
    return inner_.PeerCertificate();
  }
  void Interrupt() override { inner_.Interrupt(); }
  void Shutdown() override { inner_.Shutdown(); }

 private:
  void Stop() {
    done_ = true;
    if (halt_.kills) raise(SIGKILL);
    if (!WriteFileAtomically(halt_.folder + "/halted", "").ok()) abort();
    while (!FileExists(halt_.folder + "/go")) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  Transport& inner_;
  const Halt halt_;
  bool done_ = false;
};

}  // namespace
}  // namespace hilum

int main(int argc, char** argv) {
  if (argc < 9) return 2;
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // with the script that started it
  const hilum::Halt halt{.round = static_cast<uint32_t>(std::atoi(argv[1])),
                         .call = argv[2],
                         .after = std::string(argv[3]) == "after",
                         .kills = std::string(argv[4]) == "kill",
                         .folder = argv[5]};
  const absl::Status status =
      hilum::ServeSite(argv[8], true, [&](hilum::Transport& inner) {
        return std::make_unique<hilum::HaltingTransport>(inner, halt);
      });
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
