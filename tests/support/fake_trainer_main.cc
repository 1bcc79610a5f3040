// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <cstring>

#include "site_agent/trainer/service/trainer_server.h"
#include "tests/support/fake_trainer.h"

// hilum-fake-trainer serve --socket-fd N ARGUMENTS. It ignores ARGUMENTS.
int main(int argc, char** argv) {
  if (argc < 4 || std::strcmp(argv[2], "--socket-fd") != 0) return 2;
  hilum::FakeTrainer trainer;
  return hilum::ServeTrainer(trainer, hilum::ScopedFd(std::atoi(argv[3]))).ok()
             ? 0
             : 1;
}
